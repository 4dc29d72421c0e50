package sightline.ml

import org.apache.spark.ml.param.shared.{
  HasLabelCol,
  HasMaxIter,
  HasPredictionCol,
  HasProbabilityCol,
  HasRegParam,
  HasSeed,
}
import org.apache.spark.ml.param.{IntArrayParam, Param, ParamValidators}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types.StructType

/** The Params of [[ImageClassifier]] and of its model. */
trait ClassifierParams
    extends ImageParams
    with HasLabelCol
    with HasPredictionCol
    with HasProbabilityCol
    with HasMaxIter
    with HasRegParam
    with HasSeed {

  /** The classifier on the features: `logistic` or `mlp`. */
  final val head: Param[String] = new Param(
    this,
    "head",
    "the classifier on the features: logistic (logistic regression) or mlp (a network of " +
      "hiddenLayers)",
    ParamValidators.inArray(Array(ClassifierParams.Logistic, ClassifierParams.Mlp)),
  )

  /** The sizes of the hidden layers of `mlp`. */
  final val hiddenLayers: IntArrayParam = new IntArrayParam(
    this,
    "hiddenLayers",
    "the sizes of the hidden layers of head mlp, each >= 1",
    (sizes: Array[Int]) => sizes.forall(_ >= 1),
  )

  /** The column of the predicted label, a string. */
  final val predictedLabelCol: Param[String] = new Param(
    this,
    "predictedLabelCol",
    "the column of the predicted label, a string",
    ModelParams.notEmpty,
  )

  setDefault(
    head -> ClassifierParams.Logistic,
    hiddenLayers -> Array(64),
    predictedLabelCol -> "predicted_label",
    maxIter -> 100,
    regParam -> 0.0,
  )

  def getHead: String = $(head)
  def getHiddenLayers: Array[Int] = $(hiddenLayers)
  def getPredictedLabelCol: String = $(predictedLabelCol)
  def setPredictionCol(value: String): this.type = set(predictionCol, value)
  def setProbabilityCol(value: String): this.type = set(probabilityCol, value)
  def setPredictedLabelCol(value: String): this.type = set(predictedLabelCol, value)

  /** The stage that computes the features; it has the values of all Params that both have. */
  private[ml] def featurizer: ImageFeaturizer =
    copyValues(new ImageFeaturizer(uid, stageName)).setOutputCol(s"__${uid}_features")

  /**
   * The result's schema: the columns of errors, and of the prediction.
   *
   * @throws org.apache.spark.sql.AnalysisException for a Sightline error, as a stage with a model
   */
  private[ml] def classified(schema: StructType, labels: Seq[String]): StructType = {
    val spark = SparkSession.active
    val featurized = featurizer.transformSchema(schema)
    val table = StageSchema(spark, schema)
    val added = PredictionColumns(this, labels)
    added.foreach { case (param, field) => table.requireFree(stageName, param, field.name) }
    table.requireDistinct(
      stageName,
      added.map { case (param, field) => param -> field.name } ++
        Option.when($(handleInvalid) == ModelParams.Keep)(errorCol.name -> $(errorCol)),
    )
    val (before, errors) = featurized.fields.toSeq
      .filterNot(_.name == featurizer.getOutputCol)
      .partition(field => $(handleInvalid) != ModelParams.Keep || field.name != $(errorCol))
    StructType(before ++ added.map { case (_, field) => field } ++ errors)
  }
}

object ClassifierParams {
  val Logistic = "logistic"
  val Mlp = "mlp"
}
