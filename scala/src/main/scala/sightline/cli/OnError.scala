package sightline.cli

import sightline.OptionValue

/** The handling of images that fail, like Spark's modes PERMISSIVE, DROPMALFORMED and FAILFAST. */
sealed abstract class OnError(val name: String)

object OnError {

  /** Failed images are rows with an error. */
  case object Permissive extends OnError("permissive")

  /** Failed images are counted and left out. */
  case object Drop extends OnError("drop")

  /** The first failed image stops the run. */
  case object Fail extends OnError("fail")

  /** The handling without `--on-error`. */
  val Default: OnError = Permissive

  private val all = Seq(Permissive, Drop, Fail)

  /** @throws sightline.SightlineException INVALID_OPTION */
  def parse(name: String): OnError =
    all.find(_.name == name).getOrElse {
      throw OptionValue.invalid(
        "--on-error",
        name,
        s"Known: ${all.map(_.name).mkString(", ")}.",
      )
    }
}
