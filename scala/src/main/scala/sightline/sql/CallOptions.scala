package sightline.sql

import scala.collection.immutable.ListMap

import sightline.schedule.InferenceSettings
import sightline.{OptionValue, SightlineException}

/** Parses the options of a call, such as `map('top_k', '3')`, and the OPTIONS of a model. */
object CallOptions {

  /**
   * @param texts option names to values, as texts
   * @param settings the values of options that are not in `texts`
   * @param others names of options that the caller reads itself
   * @throws SightlineException UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_DECODER or UNKNOWN_DEVICE
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
          throw SightlineException("UNKNOWN_OPTION", "option" -> name, "known" -> known)
        },
      )
      read(now, name, value)
    }

  /**
   * Parses `true` or `false`.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def flag(name: String, value: String): Boolean =
    value.toBooleanOption.getOrElse(
      throw OptionValue.invalid(name, value, "It must be true or false.")
    )

  private type Reader = (InferenceSettings, String, String) => InferenceSettings

  private val readers: ListMap[String, Reader] = ListMap(
    "backend" -> ((now, _, value) => now.copy(backend = value)),
    "precision" -> ((now, _, value) => now.copy(precision = value)),
    "decoder" -> ((now, name, value) =>
      now.copy(decoder =
        OptionValue.oneOf("UNKNOWN_DECODER", name, value, InferenceSettings.Decoders)
      )
    ),
    "device" -> ((now, name, value) =>
      now.copy(device = OptionValue.oneOf("UNKNOWN_DEVICE", name, value, InferenceSettings.Devices))
    ),
    "batch_rows" -> ((now, name, value) => now.copy(batchRows = wholeInt(name, value))),
    "top_k" -> ((now, name, value) => now.copy(topK = wholeInt(name, value))),
    "max_image_bytes" -> ((now, name, value) =>
      now.copy(maxImageBytes = OptionValue.wholeNumber(name, value, 1))
    ),
    "max_image_pixels" -> ((now, name, value) =>
      now.copy(maxImagePixels = OptionValue.wholeNumber(name, value, 1))
    ),
  )

  private def wholeInt(name: String, value: String): Int =
    value.toIntOption
      .filter(_ >= 1)
      .getOrElse(throw OptionValue.invalid(name, value, "It must be a whole number of at least 1."))
}
