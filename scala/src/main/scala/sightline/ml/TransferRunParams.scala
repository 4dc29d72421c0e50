package sightline.ml

import org.apache.spark.ml.param.{
  BooleanParam,
  DoubleParam,
  IntParam,
  LongParam,
  Param,
  ParamValidators,
  Params,
}

import sightline.schedule.InferenceSettings
import sightline.source.FolderScanOptions

/** The Params of [[TransferClassifier]] for its samples, its files and its workers. */
trait TransferRunParams extends Params {

  final val output: Param[String] = new Param(
    this,
    "output",
    "folder or URI below which each fit has the folder of its run",
    ModelParams.notEmpty,
  )
  final val resume: BooleanParam = new BooleanParam(
    this,
    "resume",
    "whether a fit continues, or takes, the run of the same images and settings",
  )
  final val modelName: Param[String] = new Param(
    this,
    "modelName",
    "name of the model; not set: the last part of output",
    ModelParams.notEmpty,
  )
  final val pathCol: Param[String] = new Param(
    this,
    "pathCol",
    "column with the names of the images; not set: the hash of an image is its name",
    ModelParams.notEmpty,
  )
  final val groupCol: Param[String] =
    new Param(this, "groupCol", "column whose equal values are in one part", ModelParams.notEmpty)
  final val split: Param[String] = new Param(
    this,
    "split",
    "shares of train, validation and test, which add up to 1",
    ModelParams.notEmpty,
  )
  final val maxErrorRate: DoubleParam = new DoubleParam(
    this,
    "maxErrorRate",
    "share of the images that may be unreadable, 0 to 1",
    ParamValidators.inRange(0, 1),
  )
  final val maxImageBytes: LongParam =
    new LongParam(this, "maxImageBytes", "most bytes of an image (>= 1)", ParamValidators.gtEq(1))
  final val checkpointEvery: IntParam = new IntParam(
    this,
    "checkpointEvery",
    "epochs between checkpoints (>= 1)",
    ParamValidators.gtEq(1),
  )
  final val checkpointBatches: IntParam = new IntParam(
    this,
    "checkpointBatches",
    "also a checkpoint after each N batches; 0: none",
    ParamValidators.gtEq(0),
  )
  final val keep: IntParam = new IntParam(
    this,
    "keep",
    "newest checkpoints to keep, beside the best (>= 1)",
    ParamValidators.gtEq(1),
  )
  final val cache: Param[String] = new Param(
    this,
    "cache",
    "folder on each node for copies of remote samples",
    ModelParams.notEmpty,
  )
  final val cacheGb: DoubleParam = new DoubleParam(
    this,
    "cacheGb",
    "limit of those copies, in GB (>= 0.001)",
    ParamValidators.gtEq(0.001),
  )
  final val workers: IntParam = new IntParam(
    this,
    "workers",
    "tasks of Spark that train together (>= 1)",
    ParamValidators.gtEq(1),
  )
  final val threads: IntParam = new IntParam(
    this,
    "threads",
    "threads of each worker (>= 1); not set: by Spark's settings",
    ParamValidators.gtEq(1),
  )
  final val device: Param[String] = new Param(
    this,
    "device",
    "device of the training: auto, cpu or cuda",
    ParamValidators.inArray(InferenceSettings.Devices.toArray),
  )

  setDefault(
    resume -> false,
    split -> "0.8/0.1/0.1",
    maxErrorRate -> 0.01,
    maxImageBytes -> FolderScanOptions.MaxImageBytes,
    checkpointEvery -> 2,
    checkpointBatches -> 0,
    keep -> 3,
    cache -> "~/.cache/sightline/samples",
    cacheGb -> 50.0,
    workers -> 1,
    device -> "auto",
  )

  def getOutput: String = $(output)
  def getResume: Boolean = $(resume)
  def getModelName: String = $(modelName)
  def getPathCol: String = $(pathCol)
  def getGroupCol: String = $(groupCol)
  def getSplit: String = $(split)
  def getMaxErrorRate: Double = $(maxErrorRate)
  def getMaxImageBytes: Long = $(maxImageBytes)
  def getCheckpointEvery: Int = $(checkpointEvery)
  def getCheckpointBatches: Int = $(checkpointBatches)
  def getKeep: Int = $(keep)
  def getCache: String = $(cache)
  def getCacheGb: Double = $(cacheGb)
  def getWorkers: Int = $(workers)
  def getThreads: Int = $(threads)
  def getDevice: String = $(device)

  def setOutput(value: String): this.type = set(output, value)
  def setResume(value: Boolean): this.type = set(resume, value)
  def setModelName(value: String): this.type = set(modelName, value)
  def setPathCol(value: String): this.type = set(pathCol, value)
  def setGroupCol(value: String): this.type = set(groupCol, value)
  def setSplit(value: String): this.type = set(split, value)
  def setMaxErrorRate(value: Double): this.type = set(maxErrorRate, value)
  def setMaxImageBytes(value: Long): this.type = set(maxImageBytes, value)
  def setCheckpointEvery(value: Int): this.type = set(checkpointEvery, value)
  def setCheckpointBatches(value: Int): this.type = set(checkpointBatches, value)
  def setKeep(value: Int): this.type = set(keep, value)
  def setCache(value: String): this.type = set(cache, value)
  def setCacheGb(value: Double): this.type = set(cacheGb, value)
  def setWorkers(value: Int): this.type = set(workers, value)
  def setThreads(value: Int): this.type = set(threads, value)
  def setDevice(value: String): this.type = set(device, value)
}
