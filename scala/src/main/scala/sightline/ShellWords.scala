package sightline

import scala.annotation.tailrec

/** Splits command lines into words like a POSIX shell, without expansions. */
object ShellWords {

  /**
   * Splits a line at blanks. Text in `'…'` is unchanged; in `"…"` a backslash escapes `"`, `\`, `$` and
   * a backtick; elsewhere it escapes any character.
   *
   * @throws SightlineException BAD_LINE if a quote is not closed
   */
  def parse(line: String): Seq[String] = words(line.toList, Vector.empty)

  /** The line that [[parse]] splits into these words. */
  def line(words: Seq[String]): String = words.map(quoted).mkString(" ")

  private def quoted(word: String): String =
    if (word.matches("[\\w@%+=:,./~-]+")) word else "'" + word.replace("'", "'\\''") + "'"

  @tailrec
  private def words(rest: List[Char], found: Vector[String]): Seq[String] =
    rest.dropWhile(_.isWhitespace) match {
      case Nil => found
      case start =>
        val (word, after) = oneWord(start, new StringBuilder)
        words(after, found :+ word)
    }

  @tailrec
  private def oneWord(rest: List[Char], word: StringBuilder): (String, List[Char]) = rest match {
    case Nil => (word.result(), Nil)
    case c :: _ if c.isWhitespace => (word.result(), rest)
    case '\'' :: quoted =>
      val (text, after) = quoted.span(_ != '\'')
      oneWord(closed(after, '\''), word ++= text)
    case '"' :: quoted => oneWord(inDoubleQuotes(quoted, word), word)
    case '\\' :: c :: after => oneWord(after, word += c)
    case c :: after => oneWord(after, word += c)
  }

  @tailrec
  private def inDoubleQuotes(rest: List[Char], word: StringBuilder): List[Char] = rest match {
    case '\\' :: (c @ ('"' | '\\' | '$' | '`')) :: after => inDoubleQuotes(after, word += c)
    case c :: after if c != '"' => inDoubleQuotes(after, word += c)
    case end => closed(end, '"')
  }

  private def closed(rest: List[Char], quote: Char): List[Char] = rest match {
    case `quote` :: after => after
    case _ =>
      throw SightlineException("BAD_LINE", "quote" -> quote)
  }
}
