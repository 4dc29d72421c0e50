package sightline.plan

import scala.collection.immutable.ListMap

import sightline.model.ResultType
import sightline.schedule.{BatchRows, ImageSettings, InferenceSettings, TaskResources}
import sightline.{OptionValue, SightlineException}

/**
 * The options of a call of a model.
 *
 * @param topK the number of labels in a prediction, at least 1
 */
final case class CallOptions(
    settings: InferenceSettings = InferenceSettings(),
    images: ImageSettings = ImageSettings(),
    topK: Int = ResultType.DefaultTopK,
)

/** Parses the options of a call, such as `map('top_k', '3')`, and the OPTIONS of a model. */
object CallOptions {

  /**
   * @param texts option names to values, as texts
   * @param defaults the values of options that are not in `texts`
   * @param others names of options that the caller reads itself
   * @throws SightlineException UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_DECODER or UNKNOWN_DEVICE
   */
  def parse(
      texts: Map[String, String],
      defaults: CallOptions,
      others: Seq[String] = Nil,
  ): CallOptions =
    (texts -- others).toSeq.sorted.foldLeft(defaults) { case (now, (name, value)) =>
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

  private type Reader = (CallOptions, String, String) => CallOptions

  private val readers: ListMap[String, Reader] = ListMap(
    "backend" -> model((now, _, value) => now.copy(backend = value)),
    "precision" -> model((now, _, value) => now.copy(precision = value)),
    "decoder" -> image((now, name, value) =>
      now.copy(decoder = OptionValue.oneOf("UNKNOWN_DECODER", name, value, ImageSettings.Decoders))
    ),
    "device" -> model((now, name, value) =>
      now.copy(device = OptionValue.oneOf("UNKNOWN_DEVICE", name, value, InferenceSettings.Devices))
    ),
    "batch_rows" -> model((now, name, value) => now.copy(batchRows = BatchRows.parse(name, value))),
    "casts" -> model((now, name, value) =>
      if (InferenceSettings.Casts.contains(value)) now.copy(casts = value)
      else throw OptionValue.invalid(name, value, "It must be exact or lossy.")
    ),
    "gpus_per_task" -> model((now, name, value) =>
      now.copy(resources = now.resources.copy(gpus = TaskResources.gpus(name, value)))
    ),
    "cpus_per_task" -> model((now, name, value) =>
      now.copy(resources = now.resources.copy(cpus = TaskResources.cpus(name, value)))
    ),
    "top_k" -> ((now, name, value) => now.copy(topK = wholeInt(name, value))),
    "max_image_bytes" -> image((now, name, value) =>
      now.copy(maxBytes = OptionValue.wholeNumber(name, value, 1))
    ),
    "max_image_pixels" -> image((now, name, value) =>
      now.copy(maxPixels = OptionValue.wholeNumber(name, value, 1))
    ),
  )

  private def model(
      read: (InferenceSettings, String, String) => InferenceSettings
  ): Reader = (now, name, value) => now.copy(settings = read(now.settings, name, value))

  private def image(read: (ImageSettings, String, String) => ImageSettings): Reader =
    (now, name, value) => now.copy(images = read(now.images, name, value))

  private def wholeInt(name: String, value: String): Int =
    value.toIntOption
      .filter(_ >= 1)
      .getOrElse(throw OptionValue.invalid(name, value, "It must be a whole number of at least 1."))
}
