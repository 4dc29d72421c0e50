package org.apache.spark.sql.sightline

import scala.jdk.CollectionConverters.*

import org.antlr.v4.runtime.{CharStreams, CommonTokenStream, Token}
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer
import org.apache.spark.sql.catalyst.util.{SparkParserUtils, StringUtils}

/** Spark's own SQL lexer, so that quotes, escapes and comments follow Spark's rules. */
object SqlLexer {

  private val Texts = Set(SqlBaseLexer.STRING_LITERAL, SqlBaseLexer.DOUBLEQUOTED_STRING)
  private val Comments = Set(SqlBaseLexer.SIMPLE_COMMENT, SqlBaseLexer.BRACKETED_COMMENT)

  /** All tokens of a text, spaces and comments included; `getStartIndex` counts code points. */
  def tokens(text: String): IndexedSeq[Token] = {
    val lexer = new SqlBaseLexer(CharStreams.fromString(text))
    lexer.removeErrorListeners()
    val stream = new CommonTokenStream(lexer)
    stream.fill()
    stream.getTokens.asScala.toIndexedSeq.filterNot(_.getType == Token.EOF)
  }

  def isText(token: Token): Boolean = Texts(token.getType)

  def isComment(token: Token): Boolean = Comments(token.getType)

  /** Whether the token is a name in backticks. */
  def isQuotedName(token: Token): Boolean = token.getType == SqlBaseLexer.BACKQUOTED_IDENTIFIER

  /** The value of a text token: without its quotes, with its escapes decoded. */
  def textOf(token: Token): String = SparkParserUtils.string(token)

  /** Whether a name matches a pattern of a SHOW statement, such as `f*|g*`. */
  def isLike(name: String, pattern: String): Boolean =
    StringUtils.filterPattern(Seq(name), pattern).nonEmpty
}
