package sightline.sql

import java.util.UUID

import org.antlr.v4.runtime.Token
import org.apache.spark.sql.internal.VariableSubstitution
import org.apache.spark.sql.sightline.{ScriptText, StatementParameters, StatementPlaceholder}

/**
 * Parses statements on models inside `BEGIN … END`.
 *
 * Each of these statements is replaced by a placeholder that Spark's parser can parse.
 */
object ModelScript {

  private val MayBe = """(?is)[^;]*\bbegin\b.*\bmodels?\b.*""".r

  // The tokens that can precede a statement of a script.
  private val Before = Set(";", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT")

  /** Parses the statements on models of a script; None if the text contains none. */
  def parse(script: String, parameters: => StatementParameters): Option[ScriptText] =
    Option
      .when(MayBe.matches(script))(new VariableSubstitution().substitute(script))
      .flatMap { text =>
        val words = StatementTokens.of(text)
        val ours = if (Compound.begins(words)) statements(words) else Nil
        Option.when(ours.nonEmpty)(replaced(text, ours, parameters))
      }

  private def replaced(
      text: String,
      ours: Seq[Range],
      parameters: StatementParameters,
  ): ScriptText = {
    val mark = UUID.randomUUID.toString
    val starts = 0 +: ours.map(_.end)
    val ends = ours.map(_.start) :+ text.codePointCount(0, text.length)
    val between = starts.zip(ends).map { case (start, end) => part(text, start, end) }
    val names = ours.indices.map(i => s"$mark $i")
    val placeholders = names.map(StatementPlaceholder.sql) :+ ""
    val statements = ours.zip(names).map { case (range, name) =>
      val statement = part(text, range.start, range.end)
      name -> ModelStatement
        .parse(statement, parameters)
        .getOrElse(throw new IllegalStateException(s"not a statement on models: $statement"))
    }
    ScriptText(
      between.zip(placeholders).map { case (own, placeholder) => own + placeholder }.mkString,
      statements.toMap,
    )
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
