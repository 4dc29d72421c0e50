package sightline.ml

import org.apache.spark.internal.Logging
import org.apache.spark.ml.Estimator
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.functions.{col, count, lit, when}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.storage.StorageLevel

import sightline.SightlineException
import sightline.plan.StageInference
import sightline.source.Columns

/**
 * Trains a classifier of images: a model computes the features, and MLlib fits logistic regression
 * or a small network on them. Each training image is decoded once.
 */
final class ImageClassifier(override val uid: String)
    extends Estimator[ImageClassifierModel]
    with ClassifierParams
    with MLWritable
    with Logging {

  def this() = this(Identifiable.randomUID("imageClassifier"))

  def setLabelCol(value: String): this.type = set(labelCol, value)
  def setHead(value: String): this.type = set(head, value)
  def setHiddenLayers(value: Array[Int]): this.type = set(hiddenLayers, value)
  def setRegParam(value: Double): this.type = set(regParam, value)
  def setMaxIter(value: Int): this.type = set(maxIter, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def transformSchema(schema: StructType): StructType = AnalysisErrors.analysed {
    labelOf(schema): Unit
    classified(schema, labels = Nil)
  }

  /**
   * Fits the classifier. Rows with an error or without a label are left out, and their numbers are
   * logged; with handleInvalid=error the first row with an error stops the fit.
   *
   * @throws org.apache.spark.sql.AnalysisException NOTHING_TO_FIT, and those of the schema
   */
  override def fit(dataset: Dataset[?]): ImageClassifierModel = {
    transformSchema(dataset.schema, logging = true): Unit
    AnalysisErrors.analysed(fitted(dataset.toDF()))
  }

  private def fitted(frame: DataFrame): ImageClassifierModel = {
    val label = labelOf(frame.schema)
    val stage = featurizer
    if ($(handleInvalid) != ModelParams.Fail) stage.setHandleInvalid(ModelParams.Keep): Unit
    val features = stage.getOutputCol
    // Computed once: the fit reads the features in each of its iterations.
    val rows = stage.transform(frame).select(col(features), Columns.quoted(label.name))
    rows.persist(StorageLevel.MEMORY_AND_DISK): Unit
    val found = StageInference.find(frame.sparkSession, wanted)
    try {
      val model = fit(rows, label, features).set(modelSha256, found.bundle.sha256)
      // The classifier fits only these features, so it keeps their model.
      StageInference.keep(model.wanted, found)
      model
    } finally rows.unpersist(): Unit
  }

  private def fit(
      rows: DataFrame,
      label: StructField,
      features: String,
  ): ImageClassifierModel = {
    val isLabelled = Columns.quoted(label.name).isNotNull
    val hasFeatures = col(features).isNotNull
    val counts = rows
      .agg(
        count(lit(1)),
        count(when(!hasFeatures, 1)),
        count(when(hasFeatures && !isLabelled, 1)),
      )
      .head()
    val (all, failed, unlabelled) = (counts.getLong(0), counts.getLong(1), counts.getLong(2))
    val good = rows.where(hasFeatures && isLabelled)
    val labels = LabelIndex.of(stageName, good, label)
    val used = all - failed - unlabelled
    if (failed + unlabelled > 0) {
      logWarning(
        s"$stageName leaves out ${failed + unlabelled} of $all rows: $failed with an error, " +
          s"$unlabelled without a label"
      )
    }
    if (labels.size < 2 || used == 0) {
      throw SightlineException(
        "NOTHING_TO_FIT",
        "stage" -> stageName,
        "rows" -> used,
        "labels" -> labels.size,
        "failed" -> failed,
        "unlabelled" -> unlabelled,
      )
    }
    val training =
      good.select(col(features).as("features"), LabelIndex.column(label, labels).as("label"))
    val length = training.select("features").head().getAs[Vector](0).size
    val classifier = ClassifierHead.fit(this, training, length, labels.size)
    val model = new ImageClassifierModel(uid, labels.toArray, classifier).setParent(this)
    copyValues(model)
  }

  private def labelOf(schema: StructType): StructField = {
    val table = StageSchema(SparkSession.active, schema)
    val label = table.column(stageName, $(labelCol), "Set labelCol to the column of labels.")
    LabelIndex.require(stageName, label)
    label
  }

  override def copy(extra: ParamMap): ImageClassifier = defaultCopy(extra)
  override def write: MLWriter = new StageWriter(this)
}

object ImageClassifier extends MLReadable[ImageClassifier] {
  override def read: MLReader[ImageClassifier] =
    new StageReader(classOf[ImageClassifier], saved => new ImageClassifier(saved.uid))
}
