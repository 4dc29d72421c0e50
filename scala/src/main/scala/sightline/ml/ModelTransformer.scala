package sightline.ml

import org.apache.spark.ml.Transformer
import org.apache.spark.sql.functions.{coalesce, col, format_string, lit, raise_error, struct, when}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.sql.{Column, DataFrame, Dataset, SparkSession}

import sightline.ErrorConditions
import sightline.model.ResultType
import sightline.plan.{SessionModel, StageInference}
import sightline.source.Columns

/**
 * A column that a stage adds.
 *
 * @param param the Param that names the column
 * @param value its value, by the column of the model's answer, where the answer has no error
 */
final private[ml] case class StageOutput(param: String, field: StructField, value: Column => Column)

/**
 * A stage that runs a model on each row. Its subclasses say which columns the model reads and which
 * columns become of its answer.
 */
private[ml] trait ModelTransformer extends Transformer with ModelParams {

  /**
   * A value for each input of the model, in the order of its signature.
   *
   * @throws sightline.SightlineException UNKNOWN_COLUMN, AMBIGUOUS_COLUMN, WRONG_COLUMN_TYPE,
   *   NO_IMAGE_INPUT or WRONG_PARAM
   */
  protected def inputs(spark: SparkSession, model: SessionModel, schema: StageSchema): Seq[Column]

  /**
   * The error of reading a row's input; NULL without one. None if the table has no such errors.
   *
   * @throws sightline.SightlineException AMBIGUOUS_COLUMN
   */
  protected def readError(schema: StageSchema): Option[Column] = None

  /** What the worker computes from the model's outputs. */
  protected def resultType(model: SessionModel): ResultType

  /**
   * The added columns, without the column of errors.
   *
   * @throws sightline.SightlineException NO_FEATURES, NO_CLASSES or WRONG_PARAM
   */
  protected def outputs(model: SessionModel): Seq[StageOutput]

  /**
   * The schema of the result.
   *
   * @throws org.apache.spark.sql.AnalysisException for a Sightline error: an unknown model, a model
   *   without the needed outputs, a missing column or one of the wrong type, or an output column
   *   that exists
   */
  override def transformSchema(schema: StructType): StructType = AnalysisErrors.analysed {
    val spark = SparkSession.active
    val model = sessionModel(spark)
    val added = outputs(model)
    val table = StageSchema(spark, schema)
    inputs(spark, model, table): Unit
    readError(table): Unit
    withAdded(table, added.map(output => output.param -> output.field))
  }

  override def transform(dataset: Dataset[?]): DataFrame = {
    transformSchema(dataset.schema, logging = true): Unit
    AnalysisErrors.analysed(transformed(dataset.toDF()))
  }

  private def transformed(frame: DataFrame): DataFrame = {
    val spark = frame.sparkSession
    val model = sessionModel(spark)
    val table = StageSchema(spark, frame.schema)
    val values = inputs(spark, model, table)
    // Names that no other column has, so that users' columns of any name stay as they are.
    val names = values.indices.map(at => s"__${uid}_input$at")
    val answerName = s"__${uid}_answer"
    val answered = StageInference.answered(
      frame.select(col("*") +: values.zip(names).map { case (value, name) => value.as(name) }: _*),
      stageName,
      model.inference,
      resultType(model),
      names,
      answerName,
    )
    val answer = col(answerName)
    val ofModel = when(answer.isNull, ModelTransformer.NoInput).otherwise(
      answer.getField(Columns.Error)
    )
    val error = coalesce(readError(table).toSeq :+ ofModel: _*)
    val added = outputs(model)
    def columns(value: StageOutput => Column): Seq[Column] =
      added.map(output => value(output).as(output.field.name, output.field.metadata))
    val isGood = answer.isNotNull && answer.getField(Columns.Error).isNull
    def orNull(output: StageOutput): Column = when(isGood, output.value(answer))
    val own = names :+ answerName
    $(handleInvalid) match {
      case ModelParams.Keep =>
        val earlier = earlierError(table)
        val errors = coalesce(earlier.map(Columns.quoted).toSeq :+ error: _*)
        // It gets its name when the earlier column of that name has been dropped.
        val name = s"__${uid}_error"
        answered
          .select((col("*") +: columns(orNull)) :+ errors.as(name): _*)
          .drop(own ++ earlier: _*)
          .withColumnRenamed(name, $(errorCol))
      case ModelParams.Skip =>
        answered
          .where(isGood)
          .select(col("*") +: columns(_.value(answer)): _*)
          .drop(own: _*)
      case _ =>
        def orFail(output: StageOutput): Column =
          when(isGood, output.value(answer)).otherwise(ModelTransformer.failing(stageName, error))
        answered.select(col("*") +: columns(orFail): _*).drop(own: _*)
    }
  }
}

private[ml] object ModelTransformer {

  private val NoInput: Column = {
    val values = Seq("INVALID_INPUT", "feed", "All inputs of the row are NULL.")
    struct(Columns.ErrorType.fieldNames.toSeq.zip(values).map { case (name, value) =>
      lit(value).as(name)
    }: _*)
  }

  private def failing(stage: String, error: Column): Column = {
    val condition = ErrorConditions("ROW_FAILED")
    val text = condition.message(Map("stage" -> stage, "code" -> "%s", "reason" -> "%s"))
    val parts = Seq("code", "message").map(error.getField(_))
    raise_error(format_string(s"${condition.name}: $text", parts: _*))
  }
}
