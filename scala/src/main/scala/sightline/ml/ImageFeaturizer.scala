package sightline.ml

import org.apache.spark.ml.param.shared.HasOutputCol
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.{Column, SparkSession}

import sightline.model.{ModelOutput, ResultType}
import sightline.plan.SessionModel
import sightline.source.Columns

/**
 * Computes the feature vector of each image, for MLlib's stages and for comparing images.
 *
 * @param stageName the name in errors and EXPLAIN: of this class, or of the stage that uses it
 */
final class ImageFeaturizer private[ml] (
    override val uid: String,
    override private[ml] val stageName: String,
) extends ModelTransformer
    with ImageParams
    with HasOutputCol
    with MLWritable {

  def this(uid: String) = this(uid, classOf[ImageFeaturizer].getSimpleName)
  def this() = this(Identifiable.randomUID("imageFeaturizer"))

  /** The output of the model with a vector head that becomes the features; not set: the first. */
  val output: Param[String] = new Param(
    this,
    "output",
    "the name of the model's output with a vector head; not set: the first",
    ModelParams.notEmpty,
  )

  setDefault(outputCol -> Columns.Features)

  def getOutput: String = $(output)
  def setOutput(value: String): this.type = set(output, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)

  override protected def inputs(
      spark: SparkSession,
      model: SessionModel,
      schema: StageSchema,
  ): Seq[Column] = Seq(image(model, schema))

  override protected def readError(schema: StageSchema): Option[Column] = imageError(schema)

  override protected def resultType(model: SessionModel): ResultType = {
    val name = vector(model).tensor.name
    // The first output has one result type, so that its name does not make another call.
    ResultType.Vector(Some(name).filterNot(_ == vectors(model).head.tensor.name))
  }

  override protected def outputs(model: SessionModel): Seq[StageOutput] =
    Seq(
      StageOutput(
        outputCol.name,
        VectorColumn.field($(outputCol), vector(model)),
        answer => VectorColumn.of(answer.getField(Columns.Features)),
      )
    )

  private def vectors(model: SessionModel): Seq[ModelOutput] =
    model.inference.bundle.requireFeatures().signature.vectors

  private def vector(model: SessionModel): ModelOutput = get(output).fold(vectors(model).head) {
    name =>
      vectors(model).find(_.tensor.name == name).getOrElse {
        val known = vectors(model).map(_.tensor.name).mkString(", ")
        throw wrong(output, s"is '$name'. The model's outputs with a vector head: $known.")
      }
  }

  override def copy(extra: ParamMap): ImageFeaturizer =
    copyValues(new ImageFeaturizer(uid, stageName), extra)
  override def write: MLWriter = new StageWriter(this)
}

object ImageFeaturizer extends MLReadable[ImageFeaturizer] {
  override def read: MLReader[ImageFeaturizer] =
    new StageReader(classOf[ImageFeaturizer], saved => new ImageFeaturizer(saved.uid))
}
