package sightline.ml

import org.apache.spark.ml.param.shared.HasOutputCol
import org.apache.spark.ml.param.{IntParam, ParamValidators, Params}
import org.apache.spark.sql.types.StructField
import org.apache.spark.sql.{Column, SparkSession}

import sightline.model.ResultType
import sightline.plan.{CallOptions, SessionModel}
import sightline.source.Columns

/** A stage that predicts the label of each image: `struct<label, class_id, score, top_k>`. */
private[ml] trait ImagePrediction
    extends ModelTransformer
    with ImageParams
    with HasOutputCol
    with HasTopK {

  setDefault(outputCol -> Columns.Prediction)

  def setOutputCol(value: String): this.type = set(outputCol, value)

  override private[ml] def callOptions: Map[String, String] = super.callOptions ++ topKOption

  override protected def inputs(
      spark: SparkSession,
      model: SessionModel,
      schema: StageSchema,
  ): Seq[Column] = Seq(image(model, schema))

  override protected def readError(schema: StageSchema): Option[Column] = imageError(schema)

  override protected def resultType(model: SessionModel): ResultType = ResultType.TopK(model.topK)

  override protected def outputs(model: SessionModel): Seq[StageOutput] = {
    val bundle = model.inference.bundle.requireClasses()
    val field = StructField($(outputCol), resultType(model).dataType(bundle.signature))
    Seq(StageOutput(outputCol.name, field, AnswerFields(field.dataType, _)))
  }
}

/** The Param of the number of labels in a prediction. */
trait HasTopK extends Params {

  final val topK: IntParam =
    new IntParam(this, "topK", "the number of labels in top_k (>= 1)", ParamValidators.gtEq(1))

  setDefault(topK -> CallOptions().topK)

  def getTopK: Int = $(topK)
  def setTopK(value: Int): this.type = set(topK, value)

  private[ml] def topKOption: Option[(String, String)] = get(topK).map(k => "top_k" -> s"$k")
}
