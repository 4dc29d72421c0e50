package sightline.sql

import org.antlr.v4.runtime.Token
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.internal.{SQLConf, VariableSubstitution}

import sightline.SightlineException

/**
 * Statements separated by `;`. A compound statement, `BEGIN … END`, counts as one statement.
 *
 * @param statements at least one
 */
final case class SqlScript(statements: Seq[SqlStatement]) {

  /**
   * Checks that every `${name}` has a value, from the session or from a SET statement before it.
   *
   * @throws SightlineException UNSET_VARIABLES with the names
   */
  def requireVariables(spark: SparkSession): Unit = {
    val conf = spark.sessionState.conf
    val set = statements.scanLeft(Set.empty[String])((names, statement) => names ++ statement.sets)
    val missing = statements.zip(set).flatMap { case (statement, names) =>
      statement.variables.filterNot(names)
    }
    val unset = SQLConf.withExistingConf(conf) {
      val substitution = new VariableSubstitution
      missing.distinct.map(name => s"$${$name}").filter { variable =>
        // Spark replaces an unknown variable by an empty text.
        Set("", variable)(substitution.substitute(variable)) && !SqlScript.isSet(conf, variable)
      }
    }
    if (conf.variableSubstituteEnabled && unset.nonEmpty) {
      throw SightlineException(
        "UNSET_VARIABLES",
        "variables" -> unset,
        "options" -> unset.map(name => s"--set ${name.drop(2).dropRight(1)}=VALUE").mkString(" "),
      )
    }
  }
}

object SqlScript {

  /** Whether the session or the process defines the variable, even with an empty value. */
  private def isSet(conf: SQLConf, variable: String): Boolean =
    variable.drop(2).dropRight(1).split(":", 2) match {
      case Array("env", name) => sys.env.contains(name)
      case Array("system", name) => sys.props.contains(name)
      case parts => conf.contains(parts.last)
    }

  private val Title = """(?m)^\s*--\s*title:\s*(.+?)\s*(?:\((.*)\))?\s*$""".r

  /**
   * Splits a text into statements.
   *
   * @throws SightlineException NO_SQL if the text contains no statement
   */
  def parse(text: String): SqlScript = {
    val words = StatementTokens.of(text)
    val ends = Compound.ends(words)
    val starts = 0 +: ends.map(_ + 1)
    val statements = starts.zip(ends :+ words.size).collect {
      case (start, end) if start < end =>
        // The text includes the comments above the statement, but not those after the last
        // semicolon.
        val from = if (start == 0) 0 else words(start - 1).getStopIndex + 1
        val first = words(start).getStartIndex
        val to = words(end - 1).getStopIndex + 1
        statement(part(text, from, first), part(text, first, to), trailing(text, words, end))
    }
    if (statements.isEmpty) {
      throw SightlineException("NO_SQL")
    }
    SqlScript(statements)
  }

  private def statement(above: String, sql: String, after: String): SqlStatement = {
    val title = Title.findFirstMatchIn(above)
    SqlStatement(
      title.map(_.group(1)),
      title.flatMap(found => Option(found.group(2))),
      s"$above$sql$after".trim,
    )
  }

  /** The text between a statement's last token and its semicolon, such as a comment. */
  private def trailing(text: String, words: IndexedSeq[Token], end: Int): String =
    words.lift(end).fold("") { semicolon =>
      part(text, words(end - 1).getStopIndex + 1, semicolon.getStartIndex)
    }

  private def part(text: String, start: Int, end: Int): String =
    text.substring(text.offsetByCodePoints(0, start), text.offsetByCodePoints(0, end))
}
