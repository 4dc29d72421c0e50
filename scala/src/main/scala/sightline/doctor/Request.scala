package sightline.doctor

import org.apache.spark.SparkConf
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.schedule.ResourceSettings

/**
 * What a run would use.
 *
 * @param model name or path of a model; None: no model is checked
 * @param models folder or URI that is searched first for the model
 * @param output folder or URI of the result; None: none is checked
 * @param batchRows rows in a batch; None: the number that was measured for the model
 */
final case class Request(
    backend: String = "onnx",
    device: String = "auto",
    model: Option[String] = None,
    models: Option[String] = None,
    output: Option[String] = None,
    batchRows: Option[Int] = None,
) {

  /**
   * The request of `python -m sightline.doctor.print_findings`.
   *
   * @param where the machine's name in the findings
   * @param folder the model's folder on that machine; None: no model is checked there
   */
  private[doctor] def json(conf: SparkConf, where: String, folder: Option[String]): String = {
    val resources = new ResourceSettings(conf)
    // Only a task that Spark gives a GPU, or one on this machine, must find it.
    val wanted = if (device == "cuda" && where == "driver" && !resources.isLocal) "auto" else device
    JsonMethods.compact(
      ("backend" -> backend) ~ ("device" -> wanted) ~ ("model" -> folder) ~
        ("batch_rows" -> batchRows) ~ ("threads" -> resources.taskCpus) ~
        ("memory_bytes" -> MemorySettings.workerBytes(conf)) ~ ("where" -> where)
    )
  }
}
