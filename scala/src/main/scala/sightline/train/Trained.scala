package sightline.train

import org.apache.hadoop.fs.Path
import org.json4s.*
import org.json4s.JsonDSL.*

/**
 * What a training run gives.
 *
 * @param folder the folder of the run, fully qualified
 * @param index the index of the samples
 * @param settings the fields of `TrainSettings` with the architecture's library
 * @param threads the threads of each worker
 * @param history one record for each epoch
 * @param made the result of the step `finish`
 */
final case class Trained(
    folder: Path,
    index: JValue,
    settings: JObject,
    workers: Int,
    threads: Int,
    history: Seq[JValue],
    made: JValue,
) {

  implicit private val formats: Formats = DefaultFormats

  /** The path or URI of the bundle. */
  def bundle: String = (made \ "model").extract[String]

  /** The number of samples of each part. */
  def counts: JObject =
    JObject(SplitSamples.Parts.toList.map { part =>
      JField(part, JLong((index \ "counts" \ part).extract[Seq[Long]].sum))
    })

  /** The fields of `run.json` that only a training has. */
  def record: JObject =
    ("workers" -> workers) ~
      ("threads" -> threads) ~
      ("settings" -> settings) ~
      ("counts" -> counts) ~
      ("left_out" -> (index \ "left_out")) ~
      ("model" -> made) ~
      ("history" -> JArray(history.toList))
}
