package sightline.plan

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.sightline.PlanFrame
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.model.{Feed, ResultType}
import sightline.schedule.Inference
import sightline.source.{Columns, OwnColumns}

/** Adds a model's results to the rows of a table: what the commands and `ml_predict(TABLE(…))` do. */
object InferTable {

  /**
   * The frame's columns, the result, and `error`; one of the last two is NULL in each row.
   *
   * @param function what the user calls it, for EXPLAIN
   * @param images has the images in the columns of [[sightline.source.Columns.OfWorker]], which the
   *   result lacks
   * @throws SightlineException NO_IMAGE_INPUT
   */
  def images(
      function: String,
      inference: Inference,
      result: ResultType,
      images: DataFrame,
  ): DataFrame = {
    inference.bundle.requireImage(): Unit
    val table = PlanFrame.plan(images)
    val (own, kept) = table.output.partition(column => Columns.OfWorker(column.name))
    val image = read(
      own.find(_.name == Columns.WorkerContent),
      own.find(_.name == Columns.WorkerError),
    )
    PlanFrame(images.sparkSession, inferred(function, inference, result, Seq(image), kept, table))
  }

  /**
   * The table's columns, `prediction`, and `error`; one of the last two is NULL in each row. An
   * image's bytes and its read error are left out. Other inputs are columns of the inputs' names.
   *
   * @param content name of the column with the images' bytes, in any case
   * @param keepsContent whether the bytes stay in the result
   * @throws SightlineException UNKNOWN_COLUMN or WRONG_COLUMN_TYPE
   */
  def predict(
      function: String,
      model: SessionModel,
      table: LogicalPlan,
      content: String = Columns.Content,
      keepsContent: Boolean = false,
  ): LogicalPlan = {
    val signature = model.inference.bundle.signature
    val columns = signature.inputs.map { input =>
      val found = input.feed match {
        case Feed.Image =>
          val hint = "Name the one with the images' bytes by map('content_column', 'NAME')."
          column(function, table.output, content, hint)
        case Feed.Tensor =>
          val hint = "The model's input of this name is made of it."
          column(function, table.output, input.tensor.name, hint)
      }
      found -> ModelInputs.one(function, input, found, found.name)
    }
    val images = columns.zip(signature.inputs).collect {
      case ((column, _), input) if input.feed == Feed.Image => column
    }
    val error = readError(table.output).filter(_ => images.nonEmpty)
    // The function consumes the images' bytes and read errors; all other columns belong to the user.
    val own = table.output.filterNot { column =>
      error.contains(column) || !keepsContent && images.exists(_.exprId == column.exprId)
    }
    val names = OwnColumns.names(own.map(_.name), Set(Columns.Prediction, Columns.Error))
    val kept = own.zip(names).map {
      case (column, name) if column.name == name => column
      case (column, name) => Alias(column, name)()
    }
    val inputs = columns.map { case (column, input) =>
      if (images.contains(column)) read(Some(input), error.map(errorOf(column, _))) else input
    }
    inferred(function, model.inference, model.prediction, inputs, kept, table)
  }

  /**
   * @param inputs on the table's columns
   * @param kept the result's first columns
   */
  private def inferred(
      function: String,
      inference: Inference,
      result: ResultType,
      inputs: Seq[Expression],
      kept: Seq[NamedExpression],
      table: LogicalPlan,
  ): LogicalPlan = {
    val passes = kept.forall(column => carries(column.dataType, column.nullable))
    val call = InferenceCall(
      function,
      inference,
      result,
      inputs,
      if (passes) Route.Bulk else Route.Scalar,
    )
    val answer = Alias(call, "answer")()
    val parts = fields(answer.toAttribute)
    val (_, error) = parts.last
    val values = result match {
      case ResultType.Vector => parts.init
      case _ =>
        val prediction =
          CreateNamedStruct(parts.init.flatMap { case (name, field) => Seq(Literal(name), field) })
        val none = Or(IsNull(answer.toAttribute), IsNotNull(error))
        Seq(
          Columns.Prediction ->
            If(none, Literal(None.orNull, prediction.dataType), prediction)
        )
    }
    Project(
      kept.map(_.toAttribute) ++
        (values :+ (Columns.Error -> error)).map { case (name, value) => Alias(value, name)() },
      Project(kept :+ answer, table),
    )
  }

  /**
   * Whether a column can pass through a Python worker without change: both Arrow and Spark's Python
   * code must support its type. They do not support intervals of months, nor an element without a
   * type, as in `array()`.
   */
  private[plan] def carries(dataType: DataType, nullable: Boolean): Boolean = dataType match {
    case NullType => nullable
    case ArrayType(element, containsNull) => carries(element, containsNull)
    case MapType(key, value, containsNull) =>
      carries(key, nullable = false) && carries(value, containsNull)
    case StructType(fields) => fields.forall(field => carries(field.dataType, field.nullable))
    case _: NumericType | _: StringType | BinaryType | BooleanType | DateType | TimestampType |
        TimestampNTZType | VariantType | _: DayTimeIntervalType =>
      true
    case _ => false
  }

  /** An image that was read, or the error of reading it, which says why its file has no bytes. */
  private def read(content: Option[Expression], error: Option[Expression]): Expression =
    CreateNamedStruct(
      Seq(
        Literal(Columns.Content),
        content.getOrElse(Literal(None.orNull, BinaryType)),
        Literal(Columns.Error),
        error.getOrElse(Literal(None.orNull, Columns.ErrorType)),
      )
    )

  private def fields(struct: Expression): Seq[(String, Expression)] =
    struct.dataType.asInstanceOf[StructType].fieldNames.toSeq.zipWithIndex.map {
      case (name, ordinal) => name -> GetStructField(struct, ordinal, Some(name))
    }

  private def column(
      function: String,
      columns: Seq[Attribute],
      name: String,
      hint: String,
  ): Attribute =
    columns.find(_.name.equalsIgnoreCase(name)).getOrElse {
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> s"the table of $function",
        "column" -> name,
        "known" -> columns.map(_.name),
        "hint" -> hint,
      )
    }

  /** The table's column of read errors, with the type that `read_images` gives it. */
  private def readError(columns: Seq[Attribute]): Option[Attribute] =
    columns.find(c => c.name.equalsIgnoreCase(Columns.Error) && Columns.isError(c.dataType))

  /** The read error of a row without bytes, its fields in their usual order. */
  private def errorOf(content: Attribute, error: Attribute): Expression = {
    val found = fields(error).toMap
    val parts = Columns.ErrorType.fieldNames.toSeq.flatMap(name => Seq(Literal(name), found(name)))
    If(
      And(IsNull(content), IsNotNull(error)),
      CreateNamedStruct(parts),
      Literal(None.orNull, Columns.ErrorType),
    )
  }
}
