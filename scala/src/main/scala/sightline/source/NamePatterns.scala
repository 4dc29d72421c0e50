package sightline.source

import java.util.regex.Pattern

import scala.annotation.tailrec

import sightline.SightlineException

/**
 * Patterns of files' names: `*.jpg,*.png`.
 *
 * `*` is any text, `?` any letter, `[a-z]` one of some, `[!a-z]` none of them; capital letters are as
 * small ones. A pattern with a `/` is held against the path below the listed folder, where `*`
 * crosses folders; another against the name alone.
 *
 * @param text the patterns, with commas between
 */
final case class NamePatterns(text: String) {

  private lazy val (byPath, byName) = {
    val (paths, names) = NamePatterns.split(text).partition(_.contains('/'))
    (paths.map(NamePatterns.compile), names.map(NamePatterns.compile))
  }

  def matches(relativePath: String): Boolean = {
    val name = relativePath.substring(relativePath.lastIndexOf('/') + 1)
    byName.exists(_.matcher(name).matches) || byPath.exists(_.matcher(relativePath).matches)
  }
}

object NamePatterns {

  /** @throws SightlineException INVALID_OPTION when there is no pattern */
  def parse(option: String, text: String): NamePatterns = {
    if (split(text).isEmpty) {
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> option,
        "value" -> text,
        "reason" -> "It has no pattern. Give some with commas between, such as '*.jpg,*.png'.",
      )
    }
    NamePatterns(text)
  }

  private def split(text: String): Seq[String] =
    text.split(',').toSeq.map(_.trim).filter(_.nonEmpty)

  private def compile(pattern: String): Pattern =
    Pattern.compile(
      regex(pattern.toList, ""),
      Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.DOTALL,
    )

  @tailrec
  private def regex(rest: List[Char], before: String): String = rest match {
    case Nil => before
    case '*' :: more => regex(more, s"$before.*")
    case '?' :: more => regex(more, s"$before.")
    case '[' :: more =>
      val (sign, members) = more match {
        case '!' :: others => ("^", others)
        case others => ("", others)
      }
      // A bracket that comes first is one of the letters.
      members.indexOf(']', 1) match {
        case -1 => regex(more, s"$before\\[")
        case end =>
          val letters = members.take(end).mkString.replaceAll("""([\\\[\]&^])""", """\\$1""")
          regex(members.drop(end + 1), s"$before[$sign$letters]")
      }
    case letter :: more => regex(more, before + Pattern.quote(letter.toString))
  }
}
