package sightline.sql

import java.util.Locale

import org.antlr.v4.runtime.Token
import org.apache.spark.sql.sightline.{SqlLexer, StatementParameters}

import sightline.SightlineException

/**
 * The tokens of a statement, in order. Spark's own lexer splits them, so quotes, escapes and
 * comments follow Spark's rules.
 *
 * @param usage the statement's syntax, for errors
 * @param parameters the values of `:name` and `?` where a text is expected
 */
final class StatementTokens private (
    tokens: Iterator[Token],
    usage: String,
    parameters: StatementParameters,
) {

  private val words = tokens.buffered

  /** Skips `keyword` and `more` if `keyword` is next; an error if `more` does not follow. */
  def skips(keyword: String, more: String*): Boolean = {
    val found = isNext(keyword)
    if (found) {
      words.next(): Unit
      more.foreach(expect)
    }
    found
  }

  def expect(keyword: String): Unit =
    if (isNext(keyword)) words.next(): Unit else throw wrong(keyword)

  /** Reads a text in quotes, or a parameter whose value is a text. */
  def text(what: String): String =
    if (words.headOption.exists(SqlLexer.isText)) SqlLexer.textOf(words.next())
    else if (isNext("?")) {
      words.next(): Unit
      parameters.next().getOrElse(throw unbound("?", what))
    } else if (skips(":")) {
      val parameter = words.nextOption().fold("")(_.getText)
      parameters.text(parameter).getOrElse(throw unbound(s":$parameter", what))
    } else throw wrong(s"$what in quotes")

  /** Reads a plain name, one in backticks, or `IDENTIFIER('text')`. */
  def name(what: String): String = words.headOption match {
    case Some(token) if SqlLexer.isQuotedName(token) =>
      words.next().getText.drop(1).dropRight(1).replace("``", "`")
    case Some(token) if token.getText.matches("[\\p{Alnum}_]+") =>
      val word = words.next().getText
      if (word.equalsIgnoreCase("IDENTIFIER") && skips("(")) {
        val name = text(what)
        expect(")")
        name
      } else word
    case _ => throw wrong(what)
  }

  /** Reads `(key value, key = value, …)`, with or without quotes. */
  def pairs(): Map[String, String] = {
    expect("(")
    val found = Iterator
      .continually {
        val key = nameOrText("an option's name")
        skips("="): Unit
        key -> nameOrText(s"the value of $key")
      }
      .flatMap { pair =>
        val more = skips(",")
        Iterator(Some(pair)) ++ Option.when(!more)(None)
      }
      .takeWhile(_.isDefined)
      .flatten
      .toMap
    expect(")")
    found
  }

  def end(): Unit = {
    skips(";"): Unit
    if (words.nonEmpty) throw wrong("the end")
  }

  private def nameOrText(what: String): String =
    if (words.headOption.exists(SqlLexer.isText) || isNext("?") || isNext(":")) text(what)
    else name(what)

  private def isNext(keyword: String): Boolean =
    words.headOption.exists(_.getText.equalsIgnoreCase(keyword))

  private def unbound(marker: String, what: String): SightlineException =
    SightlineException(
      "WRONG_STATEMENT",
      "reason" -> s"the parameter $marker for $what has no text value. Syntax: $usage",
    )

  private def wrong(expected: String): SightlineException = {
    val found = words.headOption.fold("the end")(token => s"'${token.getText}'")
    SightlineException(
      "WRONG_STATEMENT",
      "reason" -> s"expected $expected but found $found. Syntax: $usage",
    )
  }
}

object StatementTokens {

  def apply(
      text: String,
      usage: String,
      parameters: StatementParameters = StatementParameters.none,
  ): StatementTokens = new StatementTokens(of(text).iterator, usage, parameters)

  /** The first tokens of a statement, in capitals. */
  def start(text: String, count: Int): Seq[String] = of(text).take(count).map(word)

  /** All tokens of a text except spaces and comments; `getStartIndex` counts code points. */
  def of(text: String): IndexedSeq[Token] =
    SqlLexer.tokens(text).filter(_.getChannel == Token.DEFAULT_CHANNEL)

  /** A text without its comments. */
  def withoutComments(text: String): String =
    SqlLexer.tokens(text).filterNot(SqlLexer.isComment).map(_.getText).mkString

  /** A token in capitals; texts and names keep their quotes. */
  def word(token: Token): String = token.getText.toUpperCase(Locale.ROOT)
}
