package sightline.plan

import java.util.Locale

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.sightline.PlanFrame
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.model.{Feed, ResultType}
import sightline.schedule.Inference
import sightline.source.{Columns, OwnColumns}

/** Adds a model's results to the rows of a table, for the commands and `ml_predict(TABLE(…))`. */
object InferTable {

  /**
   * The frame's columns, the result, and `error`. In each row either the result or `error` is NULL.
   *
   * @param function the name of the command or function, for EXPLAIN
   * @param images a frame with the images in the columns of [[sightline.source.Columns.OfWorker]]; the
   *   returned frame does not contain these columns
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
   * The table's columns, `prediction`, and `error`. In each row either `prediction` or `error` is NULL.
   * The images' bytes and read errors are omitted. Every input is read from the column with the
   * input's name; the only image also from the column `content`.
   *
   * @param content the name of the column with the only image's bytes; case does not count
   * @param keepsContent whether the result contains the images' bytes
   * @throws SightlineException UNKNOWN_COLUMN, AMBIGUOUS_COLUMN or WRONG_COLUMN_TYPE
   */
  def predict(
      function: String,
      model: SessionModel,
      table: LogicalPlan,
      content: Option[String] = None,
      keepsContent: Boolean = false,
  ): LogicalPlan = {
    val signature = model.inference.bundle.signature
    val casts = model.inference.settings.casts
    val hasOneImage = signature.inputs.count(_.feed == Feed.Image) == 1
    val columns = signature.inputs.map { input =>
      val name = input.tensor.name
      val found = input.feed match {
        case Feed.Image if hasOneImage => onlyImage(function, table.output, name, content)
        case _ => column(function, table.output, name, "The model has an input of this name.")
      }
      if (input.feed == Feed.Image) ModelInputs.requireBytes(function, input, found, found.name)
      found -> ModelInputs.one(function, input, found, found.name, casts)
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
   * Adds a call and its result to a table.
   *
   * @param inputs the model's inputs, as expressions on the table's columns
   * @param kept the table's columns in the result, which come first
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
    val (_, found) = parts.last
    // The scalar function gives NULL for a row without inputs. Here such a row has an error.
    val error = if (passes) found else If(IsNull(answer.toAttribute), NoInput, found)
    val values = result match {
      case _: ResultType.Vector => parts.init
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

  /** An image's bytes, and the error of reading its file; one of them is NULL. */
  private def read(content: Option[Expression], error: Option[Expression]): Expression =
    CreateNamedStruct(
      Seq(
        Literal(Columns.Content),
        content.getOrElse(Literal(None.orNull, BinaryType)),
        Literal(Columns.Error),
        error.getOrElse(Literal(None.orNull, Columns.ErrorType)),
      )
    )

  private val NoInput: Expression = CreateNamedStruct(
    Columns.ErrorType.fieldNames.toSeq
      .zip(Seq("INVALID_INPUT", "feed", "All inputs of the row are NULL."))
      .flatMap { case (name, value) => Seq(Literal(name), Literal(value)) }
  )

  private def fields(struct: Expression): Seq[(String, Expression)] =
    struct.dataType.asInstanceOf[StructType].fieldNames.toSeq.zipWithIndex.map {
      case (name, ordinal) => name -> GetStructField(struct, ordinal, Some(name))
    }

  /**
   * The column of the only image of a model.
   *
   * @param input the name of the model's input
   * @param chosen the column that the user chose
   * @throws SightlineException UNKNOWN_COLUMN, or AMBIGUOUS_COLUMN if both `content` and the column
   *   with the input's name have bytes
   */
  private def onlyImage(
      function: String,
      columns: Seq[Attribute],
      input: String,
      chosen: Option[String],
  ): Attribute = {
    val hint = "Set the column with the images' bytes by map('content_column', 'NAME')."
    val names = Seq(Columns.Content, input).distinctBy(_.toLowerCase(Locale.ROOT))
    val found = names.flatMap(find(columns, _))
    // A column of another type is not meant, such as the struct of spark.read.format("image").
    val images = found.filter(_.dataType == BinaryType)
    if (chosen.isEmpty && images.size > 1) {
      throw SightlineException(
        "AMBIGUOUS_COLUMN",
        "subject" -> function,
        "column" -> input,
        "found" -> images.map(_.name),
        "hint" -> hint,
      )
    }
    val known = images.headOption.orElse(found.headOption).filter(_ => chosen.isEmpty)
    known.getOrElse(column(function, columns, chosen.getOrElse(Columns.Content), hint))
  }

  private def find(columns: Seq[Attribute], name: String): Option[Attribute] =
    columns.find(_.name == name).orElse(columns.find(_.name.equalsIgnoreCase(name)))

  private def column(
      function: String,
      columns: Seq[Attribute],
      name: String,
      hint: String,
  ): Attribute =
    find(columns, name).getOrElse {
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> s"the table of $function",
        "column" -> name,
        "known" -> columns.map(_.name),
        "hint" -> hint,
      )
    }

  /** The table's column of read errors: it is named `error` and has the type of `read_images`. */
  private def readError(columns: Seq[Attribute]): Option[Attribute] =
    columns.find(c => c.name.equalsIgnoreCase(Columns.Error) && Columns.isError(c.dataType))

  /** The read error of a row without bytes, with the fields in the order of `Columns.ErrorType`. */
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
