package sightline.ml

import org.apache.spark.ml.param.shared.HasOutputCol
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.{Column, SparkSession}

import sightline.model.{Head, ModelOutput, ResultType}
import sightline.plan.SessionModel
import sightline.source.Columns

/** Computes the feature vector of each image, for MLlib's stages and for comparing images. */
final class ImageFeaturizer(override val uid: String)
    extends ModelTransformer
    with ImageParams
    with HasOutputCol
    with MLWritable {

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

  override protected def resultType(model: SessionModel): ResultType =
    get(output).fold[ResultType](ResultType.Vector)(name => ResultType.Tensors(Seq(name)))

  override protected def outputs(model: SessionModel): Seq[StageOutput] = {
    val bundle = model.inference.bundle.requireFeatures()
    val found = vector(bundle.signature.outputs)
    val field = resultType(model).dataType(bundle.signature).fieldNames.head
    Seq(
      StageOutput(
        outputCol.name,
        VectorColumn.field($(outputCol), found),
        answer => VectorColumn.of(answer.getField(field)),
      )
    )
  }

  private def vector(outputs: Seq[ModelOutput]): ModelOutput = {
    val vectors = outputs.filter(_.head == Head.Vector)
    get(output).fold(vectors.head) { name =>
      vectors.find(_.tensor.name == name).getOrElse {
        val known = vectors.map(_.tensor.name).mkString(", ")
        throw wrong(output, s"is '$name'. The model's outputs with a vector head: $known.")
      }
    }
  }

  override def copy(extra: ParamMap): ImageFeaturizer = defaultCopy(extra)
  override def write: MLWriter = new StageWriter(this)
}

object ImageFeaturizer extends MLReadable[ImageFeaturizer] {
  override def read: MLReader[ImageFeaturizer] =
    new StageReader(classOf[ImageFeaturizer], saved => new ImageFeaturizer(saved.uid))
}
