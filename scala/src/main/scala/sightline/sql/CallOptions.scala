package sightline.sql

import scala.collection.immutable.ListMap
import scala.util.Try

import sightline.SightlineException
import sightline.schedule.InferenceSettings

/** What `map('top_k', '3')` in a call of a function, or OPTIONS of a model, may say. */
object CallOptions {

  /**
   * @param texts names to values, as texts
   * @param settings what holds where nothing is given
   * @param others names that the caller reads itself
   * @throws SightlineException UNKNOWN_OPTION or INVALID_OPTION
   */
  def parse(
      texts: Map[String, String],
      settings: InferenceSettings,
      others: Seq[String] = Nil,
  ): InferenceSettings =
    (texts -- others).toSeq.sorted.foldLeft(settings) { case (now, (name, value)) =>
      val read = readers.getOrElse(
        name, {
          val known = readers.keys.toSeq ++ others
          throw SightlineException.wrongUse(
            "UNKNOWN_OPTION",
            s"'$name'. Known: ${known.mkString(", ")}.",
          )
        },
      )
      read(now, name, value)
    }

  /** `true` or `false`. */
  def flag(name: String, value: String): Boolean =
    oneOf(name, value, Seq("true", "false")) == "true"

  private type Reader = (InferenceSettings, String, String) => InferenceSettings

  private val readers: ListMap[String, Reader] = ListMap(
    "backend" -> ((now, _, value) => now.copy(backend = value)),
    "precision" -> ((now, _, value) => now.copy(precision = value)),
    "decoder" -> ((now, name, value) =>
      now.copy(decoder = oneOf(name, value, InferenceSettings.Decoders))
    ),
    "device" -> ((now, name, value) =>
      now.copy(device = oneOf(name, value, InferenceSettings.Devices))
    ),
    "batch_rows" -> ((now, name, value) => now.copy(batchRows = atLeast1(name, value, _.toInt))),
    "top_k" -> ((now, name, value) => now.copy(topK = atLeast1(name, value, _.toInt))),
    "max_image_bytes" -> ((now, name, value) =>
      now.copy(maxImageBytes = atLeast1(name, value, _.toLong))
    ),
    "max_image_pixels" -> ((now, name, value) =>
      now.copy(maxImagePixels = atLeast1(name, value, _.toLong))
    ),
  )

  private def oneOf(name: String, value: String, known: Seq[String]): String =
    if (known.contains(value)) value
    else throw invalid(name, value, s"Known: ${known.mkString(", ")}.")

  private def atLeast1[N](name: String, value: String, read: String => N)(implicit
      number: Numeric[N]
  ): N =
    Try(read(value)).toOption
      .filter(number.gteq(_, number.one))
      .getOrElse(throw invalid(name, value, "It must be a whole number of at least 1."))

  private def invalid(name: String, value: String, why: String): SightlineException =
    SightlineException.wrongUse("INVALID_OPTION", s"$name is '$value'. $why")
}
