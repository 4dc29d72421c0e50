package sightline.schedule

import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods
import org.json4s.{JNull, JObject, JString, JValue}

import sightline.model.ResultType

/**
 * The message from the driver to a worker. `sightline.worker.worker_spec` reads it. Tests compare both
 * with `tests/contract/worker_spec.json`.
 *
 * @param model the model's bundle
 * @param local whether Spark runs in local mode, in which tasks have no assigned GPU
 * @param threads the number of cores of a task, at least 1
 * @param gpus the part of a GPU of a task, which limits its memory there; 0: it has none
 * @param result the result of the model for each row
 * @param columns the names of the columns of a record batch; None for the scalar route
 */
final case class WorkerSpec(
    model: WorkerSpec.Model,
    settings: InferenceSettings,
    images: ImageSettings,
    local: Boolean,
    threads: Int,
    gpus: Double,
    result: ResultType,
    columns: Option[WorkerSpec.Columns] = None,
) {

  /** The message as JSON text. */
  def toJson: String = JsonMethods.compact(
    ("protocol" -> WorkerSpec.Protocol) ~
      ("model" ->
        ("name" -> model.name) ~
        ("sha256" -> model.sha256) ~
        ("folder" -> model.folder)) ~
      ("backend" -> settings.backend) ~
      ("precision" -> settings.precision) ~
      ("device" -> settings.device) ~
      ("allow_code" -> settings.allowCode) ~
      ("local" -> local) ~
      ("threads" -> threads) ~
      ("gpus" -> gpus) ~
      ("batch_rows" -> settings.batchRows.json) ~
      ("casts" -> settings.casts) ~
      ("images" ->
        ("decoder" -> images.decoder) ~
        ("max_bytes" -> images.maxBytes) ~
        ("max_pixels" -> images.maxPixels)) ~
      ("result" -> WorkerSpec.json(result)) ~
      ("columns" -> columns.fold[JValue](JNull) { names =>
        ("inputs" -> names.inputs) ~ ("error" -> names.error)
      })
  )
}

object WorkerSpec {

  /** The version of the protocol; it must be equal to the one in `sightline.version`. */
  val Protocol = 4

  /**
   * The bundle of a model on the nodes.
   *
   * @param name the model's own name, for errors
   * @param sha256 the hash of `model.json`, in hexadecimal; the worker rejects a bundle with another one
   * @param folder the name of the bundle's folder under the SparkFiles folder
   */
  final case class Model(name: String, sha256: String, folder: String)

  /**
   * The names of the columns of a record batch that the worker reads.
   *
   * @param inputs a column for each input of the model, in the order of its signature
   * @param error the column with errors of reading the inputs; it is optional in a batch
   */
  final case class Columns(inputs: Seq[String], error: String)

  private def json(result: ResultType): JValue = result match {
    case ResultType.TopK(k) => ("kind" -> "top_k") ~ ("k" -> k)
    case ResultType.Probabilities => JObject("kind" -> JString("probabilities"))
    case ResultType.Vector(output) => ("kind" -> "vector") ~ ("output" -> output)
    case ResultType.Several(results) =>
      ("kind" -> "several") ~ ("results" -> results.map(json))
    case ResultType.Tensors(names) => ("kind" -> "tensors") ~ ("outputs" -> names)
  }
}
