package sightline.sql

import java.util.Locale

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.catalyst.util.{ArrayData, MapData}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.*

import sightline.schedule.Inference
import sightline.source.Columns
import sightline.{BuildInfo, SightlineException}

/** `ml_predict(TABLE(images), 'model' [, options])`: the table, and what the model says of it. */
object PredictTableFunction {

  val Name = "ml_predict"

  private val Parameters = Seq("images", "model", "options")

  private val usage =
    """_FUNC_(TABLE(images), model[, options]) - Runs `model` on the bytes in the table's column `content`.
      |  Gives the table's columns without the bytes, then prediction struct<label, class_id, score,
      |  top_k> and error struct<code, stage, message>, one of which is NULL in each row.
      |  `options` is a map of texts, such as map('top_k', '3', 'keep_content', 'true').""".stripMargin

  /** What the session extensions register. */
  def description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => LogicalPlan) =
    (
      FunctionIdentifier(Name),
      new ExpressionInfo(
        getClass.getName,
        None.orNull,
        Name,
        usage,
        "",
        "",
        "",
        "table_funcs",
        BuildInfo.version,
        "",
        "built-in",
      ),
      arguments => AnalysisErrors.analysed(build(arguments)),
    )

  private def build(arguments: Seq[Expression]): LogicalPlan = {
    val values = named(arguments)
    val table = values.get("images") match {
      case Some(table: FunctionTableSubqueryArgumentExpression) => plain(table)
      case _ => throw wrong("the first argument must be a table: TABLE(images) or TABLE(SELECT …).")
    }
    val spark = SparkSession.active
    val model = text(values.getOrElse("model", throw wrong("the model is missing.")))
    val settings = SessionModels.settings(spark)
    val options =
      PredictOptions.parse(values.get("options").fold(Map.empty[String, String])(map), settings)
    val inference = Inference(SessionModels.find(spark, model), options.settings)
    val (input, output) = columns(table, options)
    inference.bulk(spark).mapInArrow(input, output)
  }

  /** What goes to the worker, and what comes back. */
  private def columns(table: LogicalPlan, options: PredictOptions): (LogicalPlan, StructType) = {
    val content = contentOf(table.output, options.content)
    val replaced = Set(Columns.Prediction, Columns.Error) ++
      Option.when(!options.keepsContent)(content.name.toLowerCase(Locale.ROOT))
    val kept = table.output.filterNot(column => replaced(column.name.toLowerCase(Locale.ROOT)))
    val input = Project(
      kept ++ Seq(
        Alias(content, Columns.WorkerContent)(),
        Alias(readError(content, table.output), Columns.WorkerError)(),
      ),
      table,
    )
    val output = StructType(kept.map(c => StructField(c.name, c.dataType, c.nullable, c.metadata)))
      .add(Columns.Prediction, Columns.PredictionType)
      .add(Columns.Error, Columns.ErrorType)
    (input, output)
  }

  private def contentOf(columns: Seq[Attribute], name: String): Attribute = {
    val found = columns.find(_.name.equalsIgnoreCase(name)).getOrElse {
      throw SightlineException.wrongUse(
        "UNKNOWN_COLUMN",
        s"the table of $Name has no column '$name' with the images' bytes. It has: " +
          s"${columns.map(_.name).mkString(", ")}. Name one by map('content_column', 'NAME').",
      )
    }
    if (found.dataType == BinaryType) found
    else {
      throw SightlineException.wrongUse(
        "WRONG_COLUMN_TYPE",
        s"column '${found.name}' is ${found.dataType.sql}, not BINARY. $Name takes images' bytes: " +
          "format sightline reads them from files.",
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

  private def plain(table: FunctionTableSubqueryArgumentExpression): LogicalPlan =
    if (table.hasRepartitioning || table.orderByExpressions.nonEmpty) {
      throw wrong(
        "TABLE(…) takes no PARTITION BY, ORDER BY or WITH SINGLE PARTITION: rows are predicted " +
          "where they are."
      )
    } else table.plan

  /** The arguments by the names of the parameters, given by position, by name, or both. */
  private def named(arguments: Seq[Expression]): Map[String, Expression] = {
    val pairs = arguments.zipWithIndex.map {
      case (NamedArgumentExpression(name, value), _) => name.toLowerCase(Locale.ROOT) -> value
      case (value, position) =>
        Parameters.lift(position).getOrElse(throw tooMany(arguments.size)) -> value
    }
    pairs.map { case (name, _) => name }.diff(Parameters).headOption.foreach { name =>
      val why = if (Parameters.contains(name)) "is given twice" else "is no parameter"
      throw wrong(s"'$name' $why. Known: ${Parameters.mkString(", ")}.")
    }
    pairs.toMap
  }

  private def text(model: Expression): String =
    Option
      .when(model.foldable && model.dataType == StringType)(Option(model.eval()))
      .flatten
      .getOrElse(throw wrong(s"the model must be a literal, a name or a path, not ${model.sql}."))
      .toString

  private def map(options: Expression): Map[String, String] = {
    val texts = options.dataType match {
      case _: MapType if options.foldable =>
        Option(Cast(options, MapType(StringType, StringType)).eval())
      case _ =>
        throw wrong(
          s"the options must be a literal map, such as map('top_k', '3'), not ${options.sql}."
        )
    }
    def strings(data: ArrayData): Seq[String] =
      data.toSeq[Any](StringType).map(value => Option(value).fold("")(_.toString))
    texts.fold(Map.empty[String, String]) {
      case data: MapData =>
        strings(data.keyArray()).zip(strings(data.valueArray())).toMap
      case other => throw new IllegalArgumentException(s"not a map: $other")
    }
  }

  private def tooMany(number: Int): SightlineException =
    wrong(s"it takes (TABLE(images), model[, options]), not $number arguments.")

  private def wrong(why: String): SightlineException =
    SightlineException.wrongUse("WRONG_ARGUMENTS", s"$Name: $why")
}
