package sightline.sql

import scala.jdk.CollectionConverters.*

import org.antlr.v4.runtime.{CharStreams, CommonTokenStream, Token}
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer
import org.apache.spark.sql.catalyst.util.SparkParserUtils

import sightline.SightlineException

/**
 * A statement's words, one after the other, as Spark's own lexer parts them: its quotes, its
 * escapes, its comments.
 *
 * @param usage the statement's form, for errors
 */
final class StatementTokens private (tokens: Iterator[Token], usage: String) {

  private val words = tokens.buffered

  /** Passes over `keywords` if they are next. */
  def skips(keyword: String, more: String*): Boolean = {
    val found = isNext(keyword)
    if (found) {
      words.next(): Unit
      more.foreach(expect)
    }
    found
  }

  def expect(keyword: String): Unit =
    if (isNext(keyword)) words.next(): Unit else throw wrong(s"$keyword should be")

  /** A text in quotes. */
  def text(what: String): String =
    if (words.headOption.exists(StatementTokens.isText)) {
      SparkParserUtils.string(words.next())
    } else throw wrong(s"$what in quotes should be")

  /** A plain name, or one in backticks. */
  def name(what: String): String = words.headOption match {
    case Some(token) if token.getType == SqlBaseLexer.BACKQUOTED_IDENTIFIER =>
      words.next().getText.drop(1).dropRight(1).replace("``", "`")
    case Some(token) if token.getText.matches("[\\p{Alnum}_]+") => words.next().getText
    case _ => throw wrong(s"$what should be")
  }

  /** `(key value, key = value, …)`, in quotes or not. */
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
    if (words.nonEmpty) throw wrong("nothing more should be")
  }

  private def nameOrText(what: String): String =
    if (words.headOption.exists(StatementTokens.isText)) text(what) else name(what)

  private def isNext(keyword: String): Boolean =
    words.headOption.exists(_.getText.equalsIgnoreCase(keyword))

  private def wrong(expected: String): SightlineException = {
    val where = words.headOption.fold("at the end")(token => s"where '${token.getText}' is")
    SightlineException("WRONG_STATEMENT", "reason" -> s"$expected $where. The form is: $usage")
  }
}

object StatementTokens {

  private val Texts = Set(SqlBaseLexer.STRING_LITERAL, SqlBaseLexer.DOUBLEQUOTED_STRING)

  def apply(text: String, usage: String): StatementTokens =
    new StatementTokens(lexed(text).iterator, usage)

  /** The first words of a statement, in capitals. */
  def start(text: String, count: Int): Seq[String] =
    lexed(text).take(count).map(_.getText.toUpperCase(java.util.Locale.ROOT))

  private def lexed(text: String): Seq[Token] = {
    val lexer = new SqlBaseLexer(CharStreams.fromString(text))
    lexer.removeErrorListeners()
    val stream = new CommonTokenStream(lexer)
    stream.fill()
    stream.getTokens.asScala.toSeq.filter { token =>
      token.getChannel == Token.DEFAULT_CHANNEL && token.getType != Token.EOF
    }
  }

  private def isText(token: Token): Boolean = Texts(token.getType)
}
