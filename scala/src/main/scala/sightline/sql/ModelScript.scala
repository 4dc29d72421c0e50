package sightline.sql

import java.util.UUID

import org.antlr.v4.runtime.Token
import org.apache.spark.sql.catalyst.plans.logical.{
  CompoundBody,
  CompoundPlanStatement,
  LogicalPlan,
  SingleStatement,
}
import org.apache.spark.sql.execution.command.ShowCatalogsCommand
import org.apache.spark.sql.internal.VariableSubstitution

/**
 * Parses statements on models inside `BEGIN … END`.
 *
 * Each of these statements is replaced by a placeholder statement that Spark's parser can parse.
 * After parsing, the placeholders are replaced by the parsed statements on models.
 */
object ModelScript {

  private val MayBe = """(?is)[^;]*\bbegin\b.*\bmodels?\b.*""".r

  // The tokens that can precede a statement of a script.
  private val Before = Set(";", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT")

  /**
   * Parses the script if it contains statements on models; None otherwise.
   *
   * @param parse Spark's own parser
   */
  def parse(script: String, parameters: StatementParameters)(
      parse: String => LogicalPlan
  ): Option[LogicalPlan] =
    Option
      .when(MayBe.matches(script))(new VariableSubstitution().substitute(script))
      .flatMap { text =>
        val words = StatementTokens.of(text)
        val ours = if (Compound.begins(words)) statements(words) else Nil
        Option.when(ours.nonEmpty)(replaced(text, ours, parameters)(parse))
      }

  private def replaced(text: String, ours: Seq[Range], parameters: StatementParameters)(
      parse: String => LogicalPlan
  ): LogicalPlan = {
    val mark = UUID.randomUUID.toString
    val starts = 0 +: ours.map(_.end)
    val ends = ours.map(_.start) :+ text.codePointCount(0, text.length)
    val between = starts.zip(ends).map { case (start, end) => part(text, start, end) }
    val standIns = ours.indices.map(i => s"SHOW CATALOGS LIKE '$mark $i'") :+ ""
    val plans = ours.zipWithIndex.map { case (range, i) =>
      s"$mark $i" -> ModelStatement.parse(part(text, range.start, range.end), parameters)
    }.toMap
    val restore: CompoundPlanStatement => CompoundPlanStatement = {
      case SingleStatement(ShowCatalogsCommand(Some(name))) if plans.contains(name) =>
        SingleStatement(plans(name).getOrElse(throw new IllegalStateException(name)))
      case other => other
    }
    parse(between.zip(standIns).map { case (own, other) => own + other }.mkString) match {
      case script: CompoundBody => Compound.mapped(script)(restore)
      case other => other
    }
  }

  /** The ranges of the statements on models, in code points. */
  private def statements(words: IndexedSeq[Token]): Seq[Range] =
    words.indices
      .filter(at => ModelStatement.begins(words.slice(at, at + 4)) && mayStandAt(words, at))
      .map { at =>
        val end = words.indexWhere(_.getText == ";", at)
        val last = if (end < 0) words.size - 1 else end - 1
        words(at).getStartIndex until words(last).getStopIndex + 1
      }

  private def mayStandAt(words: IndexedSeq[Token], at: Int): Boolean = {
    val before = words.take(at).map(StatementTokens.word)
    before.lastOption.exists(Before) ||
    before.drop(before.lastIndexOf(";") + 1).contains("HANDLER")
  }

  private def part(text: String, start: Int, end: Int): String =
    text.substring(text.offsetByCodePoints(0, start), text.offsetByCodePoints(0, end))
}
