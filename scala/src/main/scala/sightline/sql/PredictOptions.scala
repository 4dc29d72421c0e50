package sightline.sql

import scala.util.Try

import sightline.SightlineException
import sightline.schedule.InferenceSettings
import sightline.source.Columns

/**
 * The options of one call of `ml_predict`.
 *
 * @param content the table's column of the images' bytes
 * @param keepsContent whether that column is in the result too
 */
final case class PredictOptions(
    settings: InferenceSettings,
    content: String = Columns.Content,
    keepsContent: Boolean = false,
)

object PredictOptions {

  /**
   * @param texts names to values, as texts
   * @param settings what holds where nothing is given
   * @throws SightlineException UNKNOWN_OPTION or INVALID_OPTION
   */
  def parse(texts: Map[String, String], settings: InferenceSettings): PredictOptions =
    texts.toSeq.sorted.foldLeft(PredictOptions(settings)) { case (options, (name, value)) =>
      def how(settings: InferenceSettings): PredictOptions = options.copy(settings = settings)
      val now = options.settings
      name match {
        case "backend" => how(now.copy(backend = value))
        case "precision" => how(now.copy(precision = value))
        case "decoder" =>
          how(now.copy(decoder = oneOf(name, value, Seq("pillow", "turbo", "scaled"))))
        case "device" => how(now.copy(device = oneOf(name, value, Seq("auto", "cpu", "cuda"))))
        case "batch_rows" => how(now.copy(batchRows = atLeast1(name, value, _.toInt)))
        case "top_k" => how(now.copy(topK = atLeast1(name, value, _.toInt)))
        case "max_image_bytes" => how(now.copy(maxImageBytes = atLeast1(name, value, _.toLong)))
        case "max_image_pixels" => how(now.copy(maxImagePixels = atLeast1(name, value, _.toLong)))
        case "content_column" => options.copy(content = value)
        case "keep_content" =>
          options.copy(keepsContent = oneOf(name, value, Seq("true", "false")) == "true")
        case _ =>
          throw SightlineException.wrongUse(
            "UNKNOWN_OPTION",
            s"'$name'. Known: ${known.mkString(", ")}.",
          )
      }
    }

  private val known = Seq(
    "backend",
    "precision",
    "decoder",
    "device",
    "batch_rows",
    "top_k",
    "max_image_bytes",
    "max_image_pixels",
    "content_column",
    "keep_content",
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
