package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.model.{Feed, ModelInput, Signature, TensorSpec}
import sightline.source.Columns

/** Checks the values that a call gives to a model's inputs. */
object ModelInputs {

  private val ReadType =
    new StructType().add(Columns.Content, BinaryType).add(Columns.Error, Columns.ErrorType)

  /**
   * The inputs of a model, in the order of its signature.
   *
   * @param function the called function, for errors
   * @param value the only input, or a struct with a field for each input, by name
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def apply(function: String, signature: Signature, value: Expression): Seq[Expression] =
    (signature.inputs, value.dataType) match {
      case (Seq(only), _) => Seq(one(function, only, value, value.sql))
      case (several, struct: StructType) if several.forall(field(struct, _).isDefined) =>
        several.map { input =>
          val ordinal = field(struct, input).get
          val part = GetStructField(value, ordinal, Some(struct(ordinal).name))
          one(function, input, part, part.sql)
        }
      case (several, other) =>
        val fields = several.map(input => StructField(input.tensor.name, sqlType(input)))
        throw wrongType(
          function,
          value.sql,
          other,
          StructType(fields),
          "The model has several inputs: give a struct with a field for each, by name.",
        )
    }

  /**
   * One input of a model: BINARY or `struct<content, error>` for an image, else numbers that are
   * nested as deeply as the tensor.
   *
   * @param called the value's name in errors
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def one(
      function: String,
      input: ModelInput,
      value: Expression,
      called: String,
  ): Expression =
    (input.feed, value.dataType) match {
      case (Feed.Image, BinaryType) => value
      case (Feed.Image, read) if isRead(read) => value
      case (Feed.Image, NullType) => Cast(value, BinaryType)
      case (Feed.Image, _) =>
        requireBytes(function, value, called)
        value
      case (Feed.Tensor, found) if feeds(found, input.tensor.dataType) =>
        numbers(value, input.tensor)
      case (Feed.Tensor, other) =>
        val hint = s"Input '${input.tensor.name}' of the model is ${input.tensor}."
        throw wrongType(function, called, other, input.tensor.dataType, hint)
    }

  /**
   * Checks that an image is BINARY.
   *
   * @param called the value's name in errors
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def requireBytes(function: String, value: Expression, called: String): Unit =
    if (value.dataType != BinaryType) {
      throw wrongType(
        function,
        called,
        value.dataType,
        BinaryType,
        "Read files with read_images('folder'); its column content has their bytes.",
      )
    }

  /** Whether a value is `struct<content, error>`: an image, or the error of reading it. */
  def isRead(dataType: DataType): Boolean =
    DataTypeUtils.equalsIgnoreNullability(dataType, ReadType)

  private def sqlType(input: ModelInput): DataType = input.feed match {
    case Feed.Image => BinaryType
    case Feed.Tensor => input.tensor.dataType
  }

  private def field(struct: StructType, input: ModelInput): Option[Int] = {
    val name = input.tensor.name
    Seq(struct.fieldNames.indexOf(name), struct.fieldNames.indexWhere(_.equalsIgnoreCase(name)))
      .find(_ >= 0)
  }

  /** Whether values of a type can be elements of a tensor: floats take any number. */
  private def feeds(found: DataType, tensor: DataType): Boolean = (found, tensor) match {
    case (ArrayType(element, _), ArrayType(wanted, _)) => feeds(element, wanted)
    case (NullType, _) => true
    case (_: NumericType, FloatType | DoubleType) => true
    case (found, BooleanType) => found == BooleanType
    case (ByteType | ShortType | IntegerType | LongType, wanted) =>
      !wanted.isInstanceOf[ArrayType]
    case _ => false
  }

  /**
   * The value, with decimals as doubles. The worker converts all other numbers to the tensor's type,
   * because it can report those that do not fit.
   */
  private def numbers(value: Expression, tensor: TensorSpec): Expression = {
    val target = simple(value.dataType, tensor.dataType)
    if (target == value.dataType) value else Cast(value, target, None, EvalMode.TRY)
  }

  private def simple(found: DataType, tensor: DataType): DataType = (found, tensor) match {
    case (ArrayType(element, containsNull), ArrayType(wanted, _)) =>
      ArrayType(simple(element, wanted), containsNull)
    case (_: DecimalType, _) => DoubleType
    case (NullType, wanted) => wanted
    case (other, _) => other
  }

  private def wrongType(
      function: String,
      called: String,
      found: DataType,
      expected: DataType,
      hint: String,
  ): SightlineException =
    SightlineException(
      "WRONG_COLUMN_TYPE",
      "column" -> called,
      "type" -> found.sql,
      "expected" -> expected.sql,
      "subject" -> function,
      "hint" -> hint,
    )
}
