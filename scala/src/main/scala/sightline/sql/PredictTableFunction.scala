package sightline.sql

import org.apache.spark.sql.SparkSession

import sightline.OptionValue
import sightline.model.Feed
import sightline.plan.{CallOptions, FunctionArguments, InferTable, SessionModels, TableFunction}

/** `ml_predict(TABLE(images), 'model' [, options])`: adds the model's predictions to a table. */
object PredictTableFunction extends TableFunction {

  override val name: String = PredictFunction.name

  override protected def usage: String =
    """_FUNC_(TABLE(images), model[, options]) - Runs `model` on the bytes in the table's column `content`
      |  or the column with the name of the model's input.
      |  Returns the table's columns without the bytes, and the columns prediction struct<label,
      |  class_id, score, top_k> and error struct<code, stage, message>, one of which is NULL in each
      |  row. A column prediction of the table becomes input_prediction. A column error of the table
      |  becomes input_error, unless it is the read error of read_images.
      |  `options` is a map of texts, such as map('top_k', '3', 'keep_content', 'true').""".stripMargin

  private val ContentColumn = "content_column"
  private val KeepContent = "keep_content"

  override protected val parameters: Seq[String] = Seq("images", "model", "options")
  override protected val required = 2

  override protected def build(arguments: FunctionArguments): Call = {
    val table = arguments.table("images")
    val options = arguments.options
    val model = SessionModels.of(
      SparkSession.active,
      arguments.literalText("model"),
      CallOptions.parse(options, _, others = Seq(ContentColumn, KeepContent)),
    )
    if (!model.inference.bundle.signature.inputs.exists(_.feed == Feed.Image)) {
      Seq(ContentColumn, KeepContent).filter(options.contains).foreach { option =>
        throw OptionValue.invalid(option, options(option), "The model takes no image.")
      }
    }
    InferTable.predict(
      name,
      model,
      table,
      options.get(ContentColumn),
      options.get(KeepContent).exists(CallOptions.flag(KeepContent, _)),
    )
  }
}
