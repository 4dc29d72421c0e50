package sightline.ml

import scala.util.Try

import org.apache.spark.ml.param.shared.HasSeed
import org.apache.spark.ml.param.{DoubleArrayParam, DoubleParam, IntParam, Param, ParamValidators}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

/** The Params of [[TransferClassifier]] for the network and its training; defaults as of `train`. */
trait TransferParams extends RowErrorParams with TransferRunParams with HasSeed {

  final val architecture: Param[String] = new Param(
    this,
    "architecture",
    "a classifier of torchvision or timm, or package.module:function",
    ModelParams.notEmpty,
  )
  final val architectureArguments: Param[String] = new Param(
    this,
    "architectureArguments",
    "keyword arguments of the architecture, a JSON object",
    ModelParams.notEmpty,
  )
  final val weights: Param[String] = new Param(
    this,
    "weights",
    "start weights: a file, a name of torchvision's, or none",
    ModelParams.notEmpty,
  )
  final val imageSize: IntParam = new IntParam(
    this,
    "imageSize",
    "height and width of the network's input in pixels (>= 1)",
    ParamValidators.gtEq(1),
  )
  final val mean: DoubleArrayParam = new DoubleArrayParam(
    this,
    "mean",
    "mean of each of the three colours, 0 to 1; not set: that of the weights",
    TransferParams.isColour,
  )
  final val std: DoubleArrayParam = new DoubleArrayParam(
    this,
    "std",
    "standard deviation of each colour, 0 to 1; not set: that of the weights",
    TransferParams.isColour,
  )
  final val freeze: Param[String] = new Param(
    this,
    "freeze",
    "none, all-but-head, or N: the first N layers with weights keep them",
    ModelParams.notEmpty,
  )
  final val batchNorm: Param[String] = new Param(
    this,
    "batchNorm",
    "update the statistics of batch normalisation, or keep those of the start weights",
    ParamValidators.inArray(Array("update", "keep")),
  )
  final val epochs: IntParam =
    new IntParam(this, "epochs", "passes over the training part (>= 1)", ParamValidators.gtEq(1))
  final val batchSize: IntParam = new IntParam(
    this,
    "batchSize",
    "images of one step of all workers together (>= 1)",
    ParamValidators.gtEq(1),
  )
  final val optimizer: Param[String] = new Param(
    this,
    "optimizer",
    "adam, adamw or sgd",
    ParamValidators.inArray(Array("adam", "adamw", "sgd")),
  )
  final val learningRate: DoubleParam =
    new DoubleParam(this, "learningRate", "learning rate (> 0)", ParamValidators.gt(0))
  final val weightDecay: DoubleParam =
    new DoubleParam(this, "weightDecay", "weight decay (>= 0)", ParamValidators.gtEq(0))
  final val momentum: DoubleParam = new DoubleParam(
    this,
    "momentum",
    "momentum of sgd (>= 0, < 1)",
    ParamValidators.inRange(0, 1, true, false),
  )
  final val labelSmoothing: DoubleParam = new DoubleParam(
    this,
    "labelSmoothing",
    "label smoothing of the cross-entropy (>= 0, < 1)",
    ParamValidators.inRange(0, 1, true, false),
  )
  final val scheduler: Param[String] = new Param(
    this,
    "scheduler",
    "learning rate over the steps: constant, cosine or step",
    ParamValidators.inArray(Array("constant", "cosine", "step")),
  )
  final val warmupEpochs: IntParam = new IntParam(
    this,
    "warmupEpochs",
    "epochs in which the learning rate rises (>= 0)",
    ParamValidators.gtEq(0),
  )
  final val augment: Param[String] = new Param(
    this,
    "augment",
    "augmentation: none, flip or crop",
    ParamValidators.inArray(Array("none", "flip", "crop")),
  )
  final val precision: Param[String] = new Param(
    this,
    "precision",
    "precision of the training: fp32, bf16 or fp16",
    ParamValidators.inArray(Array("fp32", "bf16", "fp16")),
  )

  setDefault(
    architecture -> "resnet50",
    architectureArguments -> "{}",
    weights -> "DEFAULT",
    imageSize -> 224,
    freeze -> "none",
    batchNorm -> "update",
    epochs -> 10,
    batchSize -> 64,
    optimizer -> "adam",
    learningRate -> 1e-3,
    weightDecay -> 0.0,
    momentum -> 0.9,
    labelSmoothing -> 0.0,
    scheduler -> "constant",
    warmupEpochs -> 0,
    augment -> "none",
    precision -> "fp32",
  )

  def getArchitecture: String = $(architecture)
  def getArchitectureArguments: String = $(architectureArguments)
  def getWeights: String = $(weights)
  def getImageSize: Int = $(imageSize)
  def getMean: Array[Double] = $(mean)
  def getStd: Array[Double] = $(std)
  def getFreeze: String = $(freeze)
  def getBatchNorm: String = $(batchNorm)
  def getEpochs: Int = $(epochs)
  def getBatchSize: Int = $(batchSize)
  def getOptimizer: String = $(optimizer)
  def getLearningRate: Double = $(learningRate)
  def getWeightDecay: Double = $(weightDecay)
  def getMomentum: Double = $(momentum)
  def getLabelSmoothing: Double = $(labelSmoothing)
  def getScheduler: String = $(scheduler)
  def getWarmupEpochs: Int = $(warmupEpochs)
  def getAugment: String = $(augment)
  def getPrecision: String = $(precision)

  def setArchitecture(value: String): this.type = set(architecture, value)
  def setArchitectureArguments(value: String): this.type = set(architectureArguments, value)
  def setWeights(value: String): this.type = set(weights, value)
  def setImageSize(value: Int): this.type = set(imageSize, value)
  def setMean(value: Array[Double]): this.type = set(mean, value)
  def setStd(value: Array[Double]): this.type = set(std, value)
  def setFreeze(value: String): this.type = set(freeze, value)
  def setBatchNorm(value: String): this.type = set(batchNorm, value)
  def setEpochs(value: Int): this.type = set(epochs, value)
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setOptimizer(value: String): this.type = set(optimizer, value)
  def setLearningRate(value: Double): this.type = set(learningRate, value)
  def setWeightDecay(value: Double): this.type = set(weightDecay, value)
  def setMomentum(value: Double): this.type = set(momentum, value)
  def setLabelSmoothing(value: Double): this.type = set(labelSmoothing, value)
  def setScheduler(value: String): this.type = set(scheduler, value)
  def setWarmupEpochs(value: Int): this.type = set(warmupEpochs, value)
  def setAugment(value: String): this.type = set(augment, value)
  def setPrecision(value: String): this.type = set(precision, value)

  setDefault(seed -> 0L)

  def setSeed(value: Long): this.type = set(seed, value)

  /**
   * The fields of `TrainSettings` in Python.
   *
   * @throws sightline.SightlineException WRONG_PARAM
   */
  private[sightline] def trainSettings: JObject =
    ("architecture" -> $(architecture)) ~
      ("arguments" -> keywords) ~
      ("weights" -> $(weights)) ~
      ("image_size" -> $(imageSize)) ~
      ("mean" -> colour(mean)) ~
      ("std" -> colour(std)) ~
      ("freeze" -> $(freeze)) ~
      ("batch_norm" -> $(batchNorm)) ~
      ("epochs" -> $(epochs)) ~
      ("batch_size" -> $(batchSize)) ~
      ("optimizer" -> $(optimizer)) ~
      ("learning_rate" -> $(learningRate)) ~
      ("weight_decay" -> $(weightDecay)) ~
      ("momentum" -> $(momentum)) ~
      ("label_smoothing" -> $(labelSmoothing)) ~
      ("scheduler" -> $(scheduler)) ~
      ("warmup_epochs" -> $(warmupEpochs)) ~
      ("augment" -> $(augment)) ~
      ("precision" -> $(precision)) ~
      ("seed" -> $(seed)) ~
      ("checkpoint_every" -> $(checkpointEvery)) ~
      ("checkpoint_batches" -> $(checkpointBatches)) ~
      ("keep" -> $(keep))

  private def colour(param: DoubleArrayParam): JValue =
    get(param).fold[JValue](JNull)(values => JArray(values.toList.map(JDouble(_))))

  private def keywords: JObject =
    Try(JsonMethods.parse($(architectureArguments))).toOption
      .collect { case json: JObject => json }
      .getOrElse(
        throw wrong(architectureArguments, "must be a JSON object, such as {\"dropout\": 0.1}.")
      )
}

private[ml] object TransferParams {
  val isColour: Array[Double] => Boolean = values =>
    values.length == 3 && values.forall(value => value >= 0 && value <= 1)
}
