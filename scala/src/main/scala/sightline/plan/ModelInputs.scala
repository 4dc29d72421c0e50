package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.types.*

import sightline.SightlineException
import sightline.model.{Feed, ModelInput, TensorSpec}
import sightline.schedule.{Inference, InferenceSettings}
import sightline.source.Columns

/** Checks the values that a call gives to a model's inputs. */
object ModelInputs {

  private val ReadType =
    new StructType().add(Columns.Content, BinaryType).add(Columns.Error, Columns.ErrorType)

  /**
   * The inputs of a model, in the order of its signature.
   *
   * @param function the called function, for errors
   * @param values the values in the order of the signature, then those with names. The name of a
   *   model's only image is also `content`.
   * @throws SightlineException WRONG_ARGUMENTS or WRONG_COLUMN_TYPE
   */
  def apply(
      function: String,
      inference: Inference,
      values: Seq[(Option[String], Expression)],
  ): Seq[Expression] = {
    val inputs = inference.bundle.signature.inputs
    val takes = inputs.map(input => s"${input.tensor.name} ${sqlType(input).sql}")
    def wrong(why: String): SightlineException = SightlineException(
      "WRONG_ARGUMENTS",
      "subject" -> function,
      "reason" -> s"$why; model '${inference.name}' takes ${takes.mkString(", ")}.",
    )
    val (positional, named) = values.span { case (name, _) => name.isEmpty }
    if (values.size > inputs.size) throw wrong(s"${values.size} inputs are given")
    val byName =
      named.flatMap { case (name, value) => name.map(_ -> value) }.map { case (name, value) =>
        val known = "model" +: inputs.map(_.tensor.name) :+ "options"
        val unknown = s"'$name' is no parameter. Known: ${known.mkString(", ")}"
        inputNamed(inputs, name).getOrElse(throw wrong(unknown)) -> value
      }
    val assigned = inputs.zip(positional.map(_._2)) ++ byName
    val found = inputs.map { input =>
      val name = input.tensor.name
      assigned.collect { case (`input`, value) => value } match {
        case Seq(value) => input -> value
        case Seq() => throw wrong(s"its $name is missing")
        case _ => throw wrong(s"'$name' is given twice")
      }
    }
    val casts = inference.settings.casts
    found.map { case (input, value) => one(function, input, value, value.sql, casts) }
  }

  private def inputNamed(inputs: Seq[ModelInput], name: String): Option[ModelInput] =
    inputs.find(_.tensor.name.equalsIgnoreCase(name)).orElse {
      inputs.filter(_.feed == Feed.Image) match {
        case Seq(image) if name.equalsIgnoreCase(Columns.Content) => Some(image)
        case _ => None
      }
    }

  /**
   * One input of a model: BINARY or `struct<content, error>` for an image, else numbers that are
   * nested as deeply as the tensor, or an ML vector for a tensor with one axis.
   *
   * @param called the value's name in errors
   * @param casts one of [[sightline.schedule.InferenceSettings.Casts]]
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def one(
      function: String,
      input: ModelInput,
      value: Expression,
      called: String,
      casts: String = InferenceSettings.Exact,
  ): Expression =
    (input.feed, value.dataType) match {
      case (Feed.Image, BinaryType) => value
      case (Feed.Image, read) if isRead(read) => value
      case (Feed.Image, NullType) => Cast(value, BinaryType)
      case (Feed.Image, _) =>
        requireBytes(function, value, called)
        value
      case (Feed.Tensor, found) => tensor(function, input.tensor, value, found, called, casts)
    }

  private def tensor(
      function: String,
      tensor: TensorSpec,
      value: Expression,
      found: DataType,
      called: String,
      casts: String,
  ): Expression = {
    val isVector = VectorArray.isVector(found) && tensor.shape.size == 1
    val plain = if (isVector) VectorArray(value) else value
    def takes(lossy: Boolean): Boolean = feeds(plain.dataType, tensor.dataType, lossy)
    if (takes(casts == InferenceSettings.Lossy)) numbers(plain, tensor)
    else {
      val hint = s"Input '${tensor.name}' of the model is $tensor."
      val lossy = " The option 'casts' = 'lossy' cuts fractions and limits the range."
      val allowed = if (takes(lossy = true)) lossy else ""
      throw wrongType(function, called, found, tensor.dataType, hint + allowed)
    }
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

  /**
   * Whether values of a type can be elements of a tensor. Floats take any number, integers only
   * integers unless lossy conversions are allowed.
   */
  private def feeds(found: DataType, tensor: DataType, lossy: Boolean): Boolean =
    (found, tensor) match {
      case (ArrayType(element, _), ArrayType(wanted, _)) => feeds(element, wanted, lossy)
      case (_, _: ArrayType) => found == NullType
      case (NullType, _) => true
      case (_: NumericType, FloatType | DoubleType) => true
      case (BooleanType, _) => tensor == BooleanType
      case (_: NumericType, _) if lossy => true
      case (_, BooleanType) => false
      case (ByteType | ShortType | IntegerType | LongType, _) => true
      case (whole: DecimalType, _: DecimalType) => whole.scale == 0 // uint64
      case _ => false
    }

  /**
   * The value, with decimals for a tensor of floats as doubles. The worker converts all other numbers
   * to the tensor's type, because it can report those that do not fit.
   */
  private def numbers(value: Expression, tensor: TensorSpec): Expression = {
    val target = simple(value.dataType, tensor.dataType)
    if (target == value.dataType) value else Cast(value, target, None, EvalMode.TRY)
  }

  private def simple(found: DataType, tensor: DataType): DataType = (found, tensor) match {
    case (ArrayType(element, containsNull), ArrayType(wanted, _)) =>
      ArrayType(simple(element, wanted), containsNull)
    case (_: DecimalType, FloatType | DoubleType) => DoubleType
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
      "type" -> (if (VectorArray.isVector(found)) "VECTOR" else found.sql),
      "expected" -> expected.sql,
      "subject" -> function,
      "hint" -> hint,
    )
}
