package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.model.{Feed, ModelInput, Signature, TensorSpec}
import sightline.source.ReadImageExpression

/** Checks the values that a call gives to a model's inputs, and casts numbers to the tensor's type. */
object ModelInputs {

  private val ImageHint =
    "Read files by read_images('folder'), which has them in its column content."

  /**
   * The inputs of a model, in the order of its signature.
   *
   * @param function the called function, for errors
   * @param value the only input, or a struct with a field for each input, by name
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def apply(function: String, signature: Signature, value: Expression): Seq[Expression] =
    (signature.inputs, value.dataType) match {
      case (Seq(only), _) => Seq(one(function, only, value))
      case (several, struct: StructType) if several.forall(field(struct, _).isDefined) =>
        several.map { input =>
          val ordinal = field(struct, input).get
          one(function, input, GetStructField(value, ordinal, Some(struct(ordinal).name)))
        }
      case (several, other) =>
        val fields = several.map(input => StructField(input.tensor.name, sqlType(input)))
        throw wrongType(
          function,
          value,
          other,
          StructType(fields),
          "The model has several inputs: give a struct with a field for each, by name.",
        )
    }

  /**
   * One input of a model: BINARY or `struct<content, error>` for an image, else numbers that are
   * nested as deeply as the tensor.
   *
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def one(function: String, input: ModelInput, value: Expression): Expression =
    (input.feed, value.dataType) match {
      case (Feed.Image, BinaryType | ReadImageExpression.ResultType) => value
      case (Feed.Image, NullType) => Cast(value, BinaryType)
      case (Feed.Image, other) => throw wrongType(function, value, other, BinaryType, ImageHint)
      case (Feed.Tensor, found) if feeds(found, input.tensor.dataType) =>
        numbers(value, input.tensor)
      case (Feed.Tensor, other) =>
        val hint = s"Input '${input.tensor.name}' of the model is ${input.tensor}."
        throw wrongType(function, value, other, input.tensor.dataType, hint)
    }

  private def sqlType(input: ModelInput): DataType = input.feed match {
    case Feed.Image => BinaryType
    case Feed.Tensor => input.tensor.dataType
  }

  private def field(struct: StructType, input: ModelInput): Option[Int] =
    Some(struct.fieldNames.indexWhere(_.equalsIgnoreCase(input.tensor.name))).filter(_ >= 0)

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

  /** The value in the tensor's type. A number that does not fit becomes NULL. */
  private def numbers(value: Expression, tensor: TensorSpec): Expression =
    if (DataType.equalsIgnoreNullability(value.dataType, tensor.dataType)) value
    else if (tensor.shape.isEmpty || neverFails(value.dataType, tensor.elementType)) {
      Cast(value, tensor.dataType, None, EvalMode.TRY)
    } else eachElement(value, tensor.elementType)

  private def neverFails(found: DataType, element: DataType): Boolean = found match {
    case ArrayType(inner, _) => neverFails(inner, element)
    case other => Cast.canUpCast(other, element) || element == FloatType || element == DoubleType
  }

  // A cast of the array would give NULL for all of it.
  private def eachElement(value: Expression, element: DataType): Expression =
    value.dataType match {
      case ArrayType(inner, containsNull) =>
        val variable = NamedLambdaVariable("element", inner, containsNull)
        ArrayTransform(
          value,
          LambdaFunction(eachElement(variable, element), Seq(variable)),
        )
      case _ => Cast(value, element, None, EvalMode.TRY)
    }

  private[plan] def wrongType(
      function: String,
      value: Expression,
      found: DataType,
      expected: DataType,
      hint: String = ImageHint,
  ): SightlineException =
    SightlineException(
      "WRONG_COLUMN_TYPE",
      "column" -> (value match {
        case column: Attribute => column.name
        case other => other.sql
      }),
      "type" -> found.sql,
      "expected" -> expected.sql,
      "subject" -> function,
      "hint" -> hint,
    )
}
