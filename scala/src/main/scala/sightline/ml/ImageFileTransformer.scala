package sightline.ml

import org.apache.spark.ml.param.shared.{HasInputCol, HasOutputCol}
import org.apache.spark.ml.param.{Param, ParamMap, ParamValidators}
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.sightline.{Expressions, ReadImageExpression}
import org.apache.spark.sql.types.{NullType, StringType, StructField}
import org.apache.spark.sql.{Column, SparkSession}

import sightline.SightlineException
import sightline.model.ResultType
import sightline.plan.SessionModel
import sightline.source.{Columns, ImagePathReader}

/** Reads the image files that a column names, and runs a model on them. */
final class ImageFileTransformer(override val uid: String)
    extends ModelTransformer
    with HasDecoder
    with HasInputCol
    with HasOutputCol
    with HasTopK
    with MLWritable {

  import ImageFileTransformer.{Features, Prediction, Tensors}

  def this() = this(Identifiable.randomUID("imageFileTransformer"))

  /** What the output column has: `features`, `prediction` or `tensors`. */
  val result: Param[String] = new Param(
    this,
    "result",
    "what outputCol has: features (a vector), prediction (the best labels) or tensors (a struct of " +
      "all outputs)",
    ParamValidators.inArray(Array(Features, Prediction, Tensors)),
  )

  setDefault(inputCol -> Columns.Path, outputCol -> "output", result -> Features)

  def getResult: String = $(result)
  def setResult(value: String): this.type = set(result, value)
  def setInputCol(value: String): this.type = set(inputCol, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)

  override private[ml] def callOptions: Map[String, String] = super.callOptions ++ topKOption

  override protected def inputs(
      spark: SparkSession,
      model: SessionModel,
      schema: StageSchema,
  ): Seq[Column] = {
    val inference = model.inference
    inference.bundle.requireImage(): Unit
    val field = schema.column(stageName, $(inputCol))
    field.dataType match {
      case _: StringType | NullType => ()
      case other =>
        throw SightlineException(
          "WRONG_COLUMN_TYPE",
          "column" -> field.name,
          "type" -> other.sql,
          "expected" -> StringType.sql,
          "subject" -> stageName,
          "hint" -> "It takes the paths or URIs of image files.",
        )
    }
    val reader = ImagePathReader.inWorkingFolder(spark, inference.images.maxBytes)
    Seq(Expressions.mapped(Columns.quoted(field.name))(ReadImageExpression(_, reader)))
  }

  override protected def resultType(model: SessionModel): ResultType = $(result) match {
    case Features => ResultType.Vector()
    case Prediction => ResultType.TopK(model.topK)
    case _ => ResultType.Tensors(model.inference.bundle.signature.outputs.map(_.tensor.name))
  }

  override protected def outputs(model: SessionModel): Seq[StageOutput] = {
    val bundle = model.inference.bundle
    val dataType = resultType(model).dataType(bundle.signature)
    def structOf(): StageOutput =
      StageOutput(
        outputCol.name,
        StructField($(outputCol), dataType),
        AnswerFields(dataType, _),
      )
    Seq($(result) match {
      case Features =>
        val vector = bundle.requireFeatures().signature.vector.get
        StageOutput(
          outputCol.name,
          VectorColumn.field($(outputCol), vector),
          answer => VectorColumn.of(answer.getField(dataType.fieldNames.head)),
        )
      case Prediction =>
        bundle.requireClasses(): Unit
        structOf()
      case _ => structOf()
    })
  }

  override def copy(extra: ParamMap): ImageFileTransformer = defaultCopy(extra)
  override def write: MLWriter = new StageWriter(this)
}

object ImageFileTransformer extends MLReadable[ImageFileTransformer] {
  val Features = "features"
  val Prediction = "prediction"
  val Tensors = "tensors"

  override def read: MLReader[ImageFileTransformer] =
    new StageReader(classOf[ImageFileTransformer], saved => new ImageFileTransformer(saved.uid))
}
