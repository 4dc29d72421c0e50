package sightline.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.Model
import org.apache.spark.ml.linalg.{SQLDataTypes, Vector}
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.functions.{col, element_at, lit, udf, when}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{DoubleType, IntegerType, StructType}
import org.apache.spark.sql.{Column, DataFrame, Dataset}
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.source.Columns

/**
 * A fitted classifier of images.
 *
 * @param labels the labels in the order of their indices, which `predictionCol` has
 */
final class ImageClassifierModel private[ml] (
    override val uid: String,
    val labels: Array[String],
    private[ml] val classifier: ClassifierHead,
) extends Model[ImageClassifierModel]
    with ClassifierParams
    with MLWritable {

  /** The number of labels. */
  def numClasses: Int = labels.length

  override def transformSchema(schema: StructType): StructType =
    AnalysisErrors.analysed(classified(schema, labels.toSeq))

  override def transform(dataset: Dataset[?]): DataFrame = {
    transformSchema(dataset.schema, logging = true): Unit
    val features = featurizer
    val featurized = features.transform(dataset)
    val probability = s"__${uid}_probability"
    val index = s"__${uid}_index"
    val values = featurized
      .withColumn(probability, probabilities(col(features.getOutputCol)))
      .withColumn(index, ImageClassifierModel.best(col(probability)))
    val added = Map[String, Column](
      $(predictionCol) -> col(index).cast(DoubleType),
      $(predictedLabelCol) -> element_at(lit(labels), col(index) + lit(1)),
      $(probabilityCol) -> col(probability),
    )
    val predictions = PredictionColumns(this, labels.toSeq).map { case (_, field) =>
      added(field.name).as(field.name, field.metadata)
    }
    val own = Seq(features.getOutputCol, probability, index)
    if ($(handleInvalid) != ModelParams.Keep) {
      values.select(col("*") +: predictions: _*).drop(own: _*)
    } else {
      // The column of errors is the last. Other columns may have equal names.
      val error = s"__${uid}_error"
      values
        .select((col("*") +: predictions) :+ Columns.quoted($(errorCol)).as(error): _*)
        .drop(own :+ $(errorCol): _*)
        .withColumnRenamed(error, $(errorCol))
    }
  }

  /** The probability of each label; NULL where the features are NULL. */
  private def probabilities(features: Column): Column = {
    val head = classifier
    val function = udf(
      new UDF1[Vector, Vector] {
        override def call(features: Vector): Vector = head.probability(features)
      },
      SQLDataTypes.VectorType,
    )
    when(features.isNotNull, function(features))
  }

  override def copy(extra: ParamMap): ImageClassifierModel =
    copyValues(new ImageClassifierModel(uid, labels, classifier), extra).setParent(parent)

  override def write: MLWriter = new StageWriter(
    this,
    (ImageClassifierModel.Labels -> labels.toSeq) ~ (ImageClassifierModel.Head -> classifier.kind),
    (spark, path) => classifier.save(spark, ImageClassifierModel.headPath(path)),
  )
}

object ImageClassifierModel extends MLReadable[ImageClassifierModel] {

  private val Labels = "labels"
  private val Head = "head"

  private def headPath(path: String): String = new Path(path, Head).toString

  /** The index of the largest probability. */
  private def best(probability: Column): Column = {
    val argmax = udf(
      new UDF1[Vector, Int] {
        override def call(probability: Vector): Int = probability.argmax
      },
      IntegerType,
    )
    when(probability.isNotNull, argmax(probability))
  }

  override def read: MLReader[ImageClassifierModel] =
    new StageReader(
      classOf[ImageClassifierModel],
      saved => {
        implicit val formats: Formats = DefaultFormats
        new ImageClassifierModel(
          saved.uid,
          (saved.metadata \ Labels).extract[Seq[String]].toArray,
          ClassifierHead.load((saved.metadata \ Head).extract[String], headPath(saved.path)),
        )
      },
    )
}
