package sightline.source

import java.nio.charset.Charset

import scala.util.Try

import sightline.OptionValue

/**
 * The format of a CSV file.
 *
 * @param delimiter the character between fields; None: a comma, or a tab in a `.tsv`
 * @param encoding the text encoding; None: UTF-8. A byte order mark in the file overrides it.
 */
final case class CsvDialect(delimiter: Option[Char] = None, encoding: Option[Charset] = None)

object CsvDialect {

  private val Tab = Set("\\t", "tab")

  /**
   * Parses the options `--delimiter` and `--encoding`.
   *
   * @param delimiter one character, `tab` or `\t`
   * @param encoding a name that Java knows, such as `utf-16` or `windows-1252`
   * @throws sightline.SightlineException INVALID_OPTION
   */
  def parse(delimiter: Option[String], encoding: Option[String]): CsvDialect =
    CsvDialect(delimiter.map(character), encoding.map(charset))

  private def character(text: String): Char = text match {
    case tab if Tab(tab) => '\t'
    case one if one.length == 1 && !"\"\r\n".contains(one) => one.head
    case other =>
      throw OptionValue.invalid(
        "--delimiter",
        other,
        "It must be one character, such as ';', or the word tab.",
      )
  }

  // Python and Java spell some names differently: latin-1 and latin1.
  private def charset(name: String): Charset =
    Seq(name, name.replace("-", ""), name.replace("_", "-"))
      .flatMap(one => Try(Charset.forName(one)).toOption)
      .headOption
      .getOrElse {
        throw OptionValue.invalid(
          "--encoding",
          name,
          "Known are, among others, utf-8, utf-16, windows-1252 and iso-8859-1.",
        )
      }
}
