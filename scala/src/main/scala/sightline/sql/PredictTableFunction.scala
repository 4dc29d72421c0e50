package sightline.sql

import java.util.Locale

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.schedule.Inference
import sightline.source.Columns

/** `ml_predict(TABLE(images), 'model' [, options])`: the table, and what the model says of it. */
object PredictTableFunction {

  val Name: String = PredictFunction.Name

  private val usage =
    """_FUNC_(TABLE(images), model[, options]) - Runs `model` on the bytes in the table's column `content`.
      |  Gives the table's columns without the bytes, then prediction struct<label, class_id, score,
      |  top_k> and error struct<code, stage, message>, one of which is NULL in each row.
      |  `options` is a map of texts, such as map('top_k', '3', 'keep_content', 'true').""".stripMargin

  private val ContentColumn = "content_column"
  private val KeepContent = "keep_content"

  /** What the session extensions register. */
  def description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => LogicalPlan) =
    Description(this, Name, usage, "table_funcs")(build)

  private def build(expressions: Seq[Expression]): LogicalPlan = {
    val arguments = FunctionArguments(Name, Seq("images", "model", "options"), 2, expressions)
    val table = arguments.required("images") match {
      case table: FunctionTableSubqueryArgumentExpression => plain(table, arguments)
      case _ =>
        throw arguments.wrong(
          "its first argument must be a table: TABLE(images) or TABLE(SELECT …)."
        )
    }
    val options = arguments.options
    val inference = SessionModels.inference(
      SparkSession.active,
      arguments.literalText("model"),
      CallOptions.parse(options, _, others = Seq(ContentColumn, KeepContent)),
    )
    val content = contentOf(table.output, options.getOrElse(ContentColumn, Columns.Content))
    val keeps = options.get(KeepContent).exists(CallOptions.flag(KeepContent, _))
    answered(table, content, keeps, inference)
  }

  /** The table with the answer: an expression like any other, which [[ExtractInference]] finds. */
  private def answered(
      table: LogicalPlan,
      content: Attribute,
      keepsContent: Boolean,
      inference: Inference,
  ): LogicalPlan = {
    val replaced = Set(Columns.Prediction, Columns.Error) ++
      Option.when(!keepsContent)(content.name.toLowerCase(Locale.ROOT))
    val kept = table.output.filterNot(column => replaced(column.name.toLowerCase(Locale.ROOT)))
    val image = CreateNamedStruct(
      Seq(
        Literal(Columns.Content),
        content,
        Literal(Columns.Error),
        readError(content, table.output),
      )
    )
    val call = InferenceCall(Name, inference, InferenceResult.Row, image)
    val answers = call.result.dataType.fieldNames.toSeq.zipWithIndex.map { case (name, ordinal) =>
      Alias(GetStructField(call, ordinal, Some(name)), name)()
    }
    Project(kept ++ answers, table)
  }

  private def contentOf(columns: Seq[Attribute], name: String): Attribute = {
    val found = columns.find(_.name.equalsIgnoreCase(name)).getOrElse {
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> s"the table of $Name",
        "column" -> name,
        "known" -> columns.map(_.name),
        "hint" -> "Name the one with the images' bytes by map('content_column', 'NAME').",
      )
    }
    if (found.dataType == BinaryType) found
    else {
      throw SightlineException(
        "WRONG_COLUMN_TYPE",
        "column" -> found.name,
        "type" -> found.dataType.sql,
        "subject" -> Name,
        "hint" -> "Read files by read_images('folder'), which has them in its column content.",
      )
    }
  }

  /** The table's own error where it has no bytes: a file that could not be read says why. */
  private def readError(content: Attribute, columns: Seq[Attribute]): Expression = {
    val none = Literal(None.orNull, Columns.ErrorType)
    val fields = Columns.ErrorType.fieldNames.toSeq
    columns
      .find(column => column.name.equalsIgnoreCase(Columns.Error))
      .flatMap { error =>
        Option(error.dataType).collect {
          case struct: StructType
              if struct.forall(_.dataType == StringType) &&
                struct.fieldNames.toSet == fields.toSet =>
            val parts = fields.flatMap { field =>
              Seq(Literal(field), GetStructField(error, struct.fieldIndex(field), Some(field)))
            }
            If(And(IsNull(content), IsNotNull(error)), CreateNamedStruct(parts), none)
        }
      }
      .getOrElse(none)
  }

  private def plain(
      table: FunctionTableSubqueryArgumentExpression,
      arguments: FunctionArguments,
  ): LogicalPlan =
    if (table.hasRepartitioning || table.orderByExpressions.nonEmpty) {
      throw arguments.wrong(
        "TABLE(…) takes no PARTITION BY, ORDER BY or WITH SINGLE PARTITION: rows are predicted " +
          "where they are."
      )
    } else table.plan
}
