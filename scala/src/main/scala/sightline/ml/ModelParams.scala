package sightline.ml

import org.apache.spark.ml.param.*
import org.apache.spark.sql.SparkSession

import sightline.model.Backend
import sightline.plan.StageInference.Wanted
import sightline.plan.{CallOptions, SessionModel, StageInference}
import sightline.schedule.{BatchRows, InferenceSettings}

/**
 * The Params of every stage: the model, the settings for running it, and what becomes of a row that
 * has an error.
 *
 * A setting that is not set has the value of the model's OPTIONS, else of the session.
 */
trait ModelParams extends RowErrorParams {

  /** The model: a name, `name@version`, or the path or URI of a bundle's folder or zip. */
  final val model: Param[String] = new Param(
    this,
    "model",
    "the model: a name, name@version, or the path or URI of a bundle's folder or zip",
    ModelParams.notEmpty,
  )

  /** The SHA-256 that the model must have. Empty: any. Saving or fitting a stage sets it. */
  final val modelSha256: Param[String] = new Param(
    this,
    "modelSha256",
    "the SHA-256 that the model must have, in hexadecimal; empty: any. Saving or fitting a stage " +
      "sets it",
    (hash: String) => hash.matches("([0-9a-f]{64})?"),
  )

  /** Whether a saved stage contains a copy of the model; otherwise it refers to the model. */
  final val modelCopy: BooleanParam = new BooleanParam(
    this,
    "modelCopy",
    "whether a saved stage contains a copy of the model; otherwise it refers to it by model",
  )

  final val backend: Param[String] = new Param(
    this,
    "backend",
    "the program that runs the model: onnx, pytorch, openvino, or one of an installed package",
    ModelParams.notEmpty,
  )

  final val precision: Param[String] = new Param(
    this,
    "precision",
    "fp32, or a reduced precision that the model is calibrated for: bf16 or int8",
    ParamValidators.inArray(Backend.Precisions.toArray),
  )

  final val device: Param[String] = new Param(
    this,
    "device",
    "auto (the task's GPU, else the CPU), cpu or cuda",
    ParamValidators.inArray(InferenceSettings.Devices.toArray),
  )

  final val batchRows: IntParam = new IntParam(
    this,
    "batchRows",
    "the most rows in one batch of the model (>= 0). 0: the number that was measured for the " +
      "backend on a CPU when the model was added. If none was measured, and on a GPU, it is 32",
    ParamValidators.gtEq(0),
  )

  final val gpusPerTask: DoubleParam = new DoubleParam(
    this,
    "gpusPerTask",
    "the part of a GPU that each task of the model takes, 0 to 1: with 0.25 four tasks share a GPU. " +
      "0: that of the application (spark.task.resource.gpu.amount)",
    ParamValidators.inRange(0, 1),
  )

  final val cpusPerTask: IntParam = new IntParam(
    this,
    "cpusPerTask",
    "the cores that each task of the model takes (>= 0). 0: those of the application " +
      "(spark.task.cpus)",
    ParamValidators.gtEq(0),
  )

  /** Whether the model may run Python code of its own. No file keeps it: see [[ConsentParam]]. */
  final val allowCode: BooleanParam = new ConsentParam(
    this,
    "allowCode",
    "whether the model may run Python code of its own; a saved stage does not keep it",
  )

  private val settings = InferenceSettings()
  setDefault(
    modelSha256 -> "",
    modelCopy -> true,
    backend -> settings.backend,
    precision -> settings.precision,
    device -> settings.device,
    batchRows -> ModelParams.AutoRows,
    gpusPerTask -> settings.resources.gpus,
    cpusPerTask -> settings.resources.cpus,
    allowCode -> settings.allowCode,
  )

  def getModel: String = $(model)
  def getModelSha256: String = $(modelSha256)
  def getModelCopy: Boolean = $(modelCopy)
  def getBackend: String = $(backend)
  def getPrecision: String = $(precision)
  def getDevice: String = $(device)
  def getBatchRows: Int = $(batchRows)
  def getGpusPerTask: Double = $(gpusPerTask)
  def getCpusPerTask: Int = $(cpusPerTask)
  def getAllowCode: Boolean = $(allowCode)

  /** Sets the model; any hash that an earlier model had to have is cleared. */
  def setModel(value: String): this.type = clear(modelSha256).set(model, value)
  def setModelSha256(value: String): this.type = set(modelSha256, value)
  def setModelCopy(value: Boolean): this.type = set(modelCopy, value)
  def setBackend(value: String): this.type = set(backend, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setDevice(value: String): this.type = set(device, value)
  def setBatchRows(value: Int): this.type = set(batchRows, value)
  def setGpusPerTask(value: Double): this.type = set(gpusPerTask, value)
  def setCpusPerTask(value: Int): this.type = set(cpusPerTask, value)
  def setAllowCode(value: Boolean): this.type = set(allowCode, value)

  /** The options of a call that are set as Params, by their names in SQL. */
  private[ml] def callOptions: Map[String, String] =
    Map.empty[String, String] ++ option("backend", backend) ++ option(
      "precision",
      precision,
    ) ++ option("device", device) ++ option("gpus_per_task", gpusPerTask) ++
      option("cpus_per_task", cpusPerTask) ++
      get(batchRows).map { rows =>
        "batch_rows" -> (if (rows == ModelParams.AutoRows) s"${BatchRows.Auto}" else s"$rows")
      }

  /** An option of a call with the value of a Param; None if the Param is not set. */
  private[ml] def option(name: String, param: Param[?]): Option[(String, String)] =
    get(param).map(value => name -> s"$value")

  /** @throws SightlineException WRONG_PARAM if no model is set */
  private[ml] def wanted: Wanted = {
    if (!isSet(model)) throw wrong(model, "is not set. Name a model: see sightline models list.")
    Wanted(uid, $(model), Some($(modelSha256)).filter(_.nonEmpty))
  }

  /** The model with the stage's settings, found and checked. */
  private[ml] def sessionModel(spark: SparkSession): SessionModel =
    StageInference.model(
      spark,
      wanted,
      now => {
        val chosen = CallOptions.parse(callOptions, now)
        val settings = chosen.settings
        chosen.copy(settings = settings.copy(allowCode = settings.allowCode || $(allowCode)))
      },
    )
}

/**
 * The consent to a bundle's own code. It is written and read as false, so that a saved stage, or the
 * grid of a saved CrossValidator, gives no consent in the application that loads it.
 */
final private[ml] class ConsentParam(parent: Params, name: String, doc: String)
    extends BooleanParam(parent, name, doc) {
  override def jsonEncode(value: Boolean): String = super.jsonEncode(false)
  override def jsonDecode(json: String): Boolean = false
}

object ModelParams {
  val Keep = "keep"
  val Skip = "skip"
  val Fail = "error"

  /** The value of `batchRows` for the measured number of rows. */
  private val AutoRows = 0

  private[ml] val notEmpty: String => Boolean = _.trim.nonEmpty
}
