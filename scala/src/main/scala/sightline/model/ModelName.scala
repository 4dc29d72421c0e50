package sightline.model

import java.util.Locale

import sightline.SightlineException

/** The names of models, with or without a version: `id_fraud`, `id_fraud@2`. */
object ModelName {

  private val Longest = 128

  private val Versioned = "(.+)@(\\d{1,6})".r

  /**
   * Whether a text can be a model's name: letters, digits, `_`, `-` and `.`, a letter or digit
   * first. A name is also the name of a file.
   */
  def isValid(text: String): Boolean =
    text.matches("[A-Za-z0-9][A-Za-z0-9_.-]*") && text.length <= Longest &&
      !BundleCatalog.isPath(text)

  /** @throws SightlineException WRONG_MODEL_NAME */
  def requireValid(name: String): Unit =
    if (!isValid(name)) {
      throw SightlineException(
        "WRONG_MODEL_NAME",
        "name" -> (if (name.length <= Longest) name else s"${name.take(20)}…"),
        "length" -> name.length,
        "longest" -> Longest,
      )
    }

  /** The name and the version in `name@version`; no version in a plain name. */
  def split(model: String): (String, Option[Int]) = model match {
    case Versioned(name, version) => (name, Some(version.toInt))
    case name => (name, None)
  }

  /**
   * The element of `names` that `name` refers to: the equal one, else the one that `resolver`
   * considers the same; None if there is none.
   *
   * @param resolver whether two names are the same: `spark.sql.caseSensitive`
   * @throws SightlineException AMBIGUOUS_MODEL if several names are the same for `resolver`
   */
  private[model] def resolve(
      name: String,
      names: Seq[String],
      resolver: (String, String) => Boolean,
  ): Option[String] =
    names.find(_ == name).orElse {
      names.filter(resolver(_, name)) match {
        case several if several.size > 1 =>
          throw SightlineException(
            "AMBIGUOUS_MODEL",
            "name" -> name,
            "models" -> several.sorted.mkString(" and "),
          )
        case found => found.headOption
      }
    }

  /** A new model's name as it is stored: in lower case if case does not count, as for tables. */
  private[model] def stored(name: String, resolver: (String, String) => Boolean): String =
    if (isCaseSensitive(resolver)) name else name.toLowerCase(Locale.ROOT)

  private[model] def isCaseSensitive(resolver: (String, String) => Boolean): Boolean =
    !resolver("a", "A")
}
