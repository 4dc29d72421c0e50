package sightline.schedule

import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods
import org.json4s.{JNull, JObject, JString, JValue}

import sightline.model.ResultType

/**
 * What the driver tells a worker; `sightline.worker.worker_spec` reads it. Both are tested against
 * `tests/contract/worker_spec.json`.
 *
 * @param model the bundle
 * @param local whether the tasks run in the driver's process, where no GPU is assigned to them
 * @param threads cores of a task, at least 1
 * @param columns names of the columns of a record batch; None for the scalar route
 */
final case class WorkerSpec(
    model: WorkerSpec.Model,
    settings: InferenceSettings,
    images: ImageSettings,
    local: Boolean,
    threads: Int,
    result: ResultType,
    columns: Option[WorkerSpec.Columns] = None,
) {

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
      ("batch_rows" -> settings.batchRows) ~
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

  /** The version of the protocol; `sightline.version` has the same. */
  val Protocol = 2

  /**
   * @param name the model's own name, for errors
   * @param sha256 of its `model.json`: the worker refuses other bytes
   * @param folder of the bundle, under the nodes' SparkFiles folder
   */
  final case class Model(name: String, sha256: String, folder: String)

  /**
   * @param inputs a column for each input of the model, in the order of its signature
   * @param error the column of errors of reading the inputs; a batch may lack it
   */
  final case class Columns(inputs: Seq[String], error: String)

  private def json(result: ResultType): JValue = result match {
    case ResultType.TopK(k) => ("kind" -> "top_k") ~ ("k" -> k)
    case ResultType.Probabilities => JObject("kind" -> JString("probabilities"))
    case ResultType.Vector => JObject("kind" -> JString("vector"))
    case ResultType.Tensors(names) => ("kind" -> "tensors") ~ ("outputs" -> names)
  }
}
