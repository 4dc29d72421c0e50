package sightline.cli

import sightline.SightlineException

/** What becomes of images that cannot be predicted: Spark's PERMISSIVE, DROPMALFORMED, FAILFAST. */
sealed abstract class OnError(val name: String)

object OnError {

  /** They are rows with an error. */
  case object Permissive extends OnError("permissive")

  /** They are counted and left out. */
  case object Drop extends OnError("drop")

  /** The first one stops the run. */
  case object Fail extends OnError("fail")

  private val all = Seq(Permissive, Drop, Fail)

  def parse(name: String): OnError =
    all.find(_.name == name).getOrElse {
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> "--on-error",
        "value" -> name,
        "reason" -> s"Known: ${all.map(_.name).mkString(", ")}.",
      )
    }
}
