package sightline.sql

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.schedule.Inference
import sightline.source.{Columns, OwnColumns}

/** `ml_predict(TABLE(images), 'model' [, options])`: adds the model's predictions to a table. */
object PredictTableFunction {

  val Name: String = PredictFunction.Name

  private val usage =
    """_FUNC_(TABLE(images), model[, options]) - Runs `model` on the bytes in the table's column `content`.
      |  Gives the table's columns without the bytes, then prediction struct<label, class_id, score,
      |  top_k> and error struct<code, stage, message>, one of which is NULL in each row. The table's
      |  own prediction is input_prediction, and so is an error of its own that is none of reading.
      |  `options` is a map of texts, such as map('top_k', '3', 'keep_content', 'true').""".stripMargin

  private val ContentColumn = "content_column"
  private val KeepContent = "keep_content"

  /**
   * The function for the session extensions. It must be the same object each time; Spark warns
   * otherwise.
   */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => LogicalPlan) =
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

  /**
   * The table with the model's answer. The call is a normal expression, which [[ExtractInference]]
   * finds.
   */
  private def answered(
      table: LogicalPlan,
      content: Attribute,
      keepsContent: Boolean,
      inference: Inference,
  ): LogicalPlan = {
    val error = readError(table.output)
    // The function consumes the images' bytes and read errors; all other columns belong to the
    // user.
    val own = table.output.filterNot { column =>
      error.contains(column) || !keepsContent && column.exprId == content.exprId
    }
    val names = OwnColumns.names(own.map(_.name), Set(Columns.Prediction, Columns.Error))
    val kept = own.zip(names).map {
      case (column, name) if column.name == name => column
      case (column, name) => Alias(column, name)()
    }
    val image = CreateNamedStruct(
      Seq(
        Literal(Columns.Content),
        content,
        Literal(Columns.Error),
        error.fold[Expression](Literal(None.orNull, Columns.ErrorType))(errorOf(content, _)),
      )
    )
    if (own.forall(column => WorkerTypes.carries(column.dataType, column.nullable))) {
      val call = InferenceCall(Name, inference, InferenceResult.Row, image)
      Project(kept ++ fields(call).map { case (name, field) => Alias(field, name)() }, table)
    } else scalar(kept, InferenceCall(Name, inference, InferenceResult.Prediction, image), table)
  }

  /** The same result by the scalar function, which sends no other column through the worker. */
  private def scalar(
      kept: Seq[NamedExpression],
      call: InferenceCall,
      table: LogicalPlan,
  ): LogicalPlan = {
    val answer = Alias(call, Columns.Prediction)()
    val (errors, parts) = fields(answer.toAttribute).partition(_._1 == Columns.Error)
    val error = errors.head._2
    val prediction =
      CreateNamedStruct(parts.flatMap { case (name, field) => Seq(Literal(name), field) })
    val none = Literal(None.orNull, prediction.dataType)
    Project(
      kept.map(_.toAttribute) ++ Seq(
        Alias(If(IsNotNull(error), none, prediction), Columns.Prediction)(),
        Alias(error, Columns.Error)(),
      ),
      Project(kept :+ answer, table),
    )
  }

  private def fields(struct: Expression): Seq[(String, Expression)] =
    struct.dataType.asInstanceOf[StructType].fieldNames.toSeq.zipWithIndex.map {
      case (name, ordinal) => name -> GetStructField(struct, ordinal, Some(name))
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

  /** The table's column of read errors, with the type that `read_images` gives it. */
  private def readError(columns: Seq[Attribute]): Option[Attribute] =
    columns.find(c => c.name.equalsIgnoreCase(Columns.Error) && Columns.isError(c.dataType))

  /** The read error of a row without bytes, which says why its file could not be read. */
  private def errorOf(content: Attribute, error: Attribute): Expression = {
    val found = fields(error).toMap
    val parts = Columns.ErrorType.fieldNames.toSeq.flatMap(name => Seq(Literal(name), found(name)))
    If(
      And(IsNull(content), IsNotNull(error)),
      CreateNamedStruct(parts),
      Literal(None.orNull, Columns.ErrorType),
    )
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
