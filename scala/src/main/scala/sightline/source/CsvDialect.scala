package sightline.source

import java.nio.charset.Charset

import scala.util.Try

import sightline.SightlineException

/**
 * How a CSV is written.
 *
 * @param delimiter between fields; None: a comma, a tab in a `.tsv`
 * @param encoding of its text; None: UTF-8. A byte order mark in the file comes before both.
 */
final case class CsvDialect(delimiter: Option[Char] = None, encoding: Option[Charset] = None)

object CsvDialect {

  private val Tab = Set("\\t", "tab")

  /**
   * @param delimiter one character, `tab` or `\t`
   * @param encoding a name that Java knows, such as `utf-16` or `windows-1252`
   * @throws SightlineException INVALID_OPTION
   */
  def parse(delimiter: Option[String], encoding: Option[String]): CsvDialect =
    CsvDialect(delimiter.map(character), encoding.map(charset))

  private def character(text: String): Char = text match {
    case tab if Tab(tab) => '\t'
    case one if one.length == 1 && !"\"\r\n".contains(one) => one.head
    case other =>
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> "--delimiter",
        "value" -> other,
        "reason" -> "It must be one character, such as ';', or the word tab.",
      )
  }

  // Python writes latin-1 for what Java calls latin1.
  private def charset(name: String): Charset =
    Seq(name, name.replace("-", ""), name.replace("_", "-"))
      .flatMap(one => Try(Charset.forName(one)).toOption)
      .headOption
      .getOrElse {
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> "--encoding",
          "value" -> name,
          "reason" -> "Known are, among others, utf-8, utf-16, windows-1252 and iso-8859-1.",
        )
      }
}
