package sightline.source

import java.util.regex.Pattern

import scala.annotation.tailrec

import sightline.OptionValue

/**
 * Patterns of files' names, such as `*.jpg,*.png`.
 *
 * `*` matches any text, `?` one character, `[a-z]` a character of a set, `[!a-z]` a character that is
 * not in the set; case does not count. A pattern with a `/` is matched with the path relative to the
 * listed folder, where `*` also matches `/`; a pattern without is matched with the name.
 *
 * @param text the patterns, separated by commas
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

  /** @throws sightline.SightlineException INVALID_OPTION if there is no pattern */
  def parse(option: String, text: String): NamePatterns = {
    if (split(text).isEmpty) {
      throw OptionValue.invalid(
        option,
        text,
        "It has no pattern. Give patterns with commas between, such as '*.jpg,*.png'.",
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
      // A closing bracket in the first position is a member of the set.
      members.indexOf(']', 1) match {
        case -1 => regex(more, s"$before\\[")
        case end =>
          val letters = members.take(end).mkString.replaceAll("""([\\\[\]&^])""", """\\$1""")
          regex(members.drop(end + 1), s"$before[$sign$letters]")
      }
    case letter :: more => regex(more, before + Pattern.quote(letter.toString))
  }
}
