package sightline.model

import org.apache.spark.sql.types.*

/**
 * A tensor of a model.
 *
 * @param dtype the type of the elements, as in `model.json`: one of [[TensorSpec.Types]]
 * @param shape the lengths of the axes for one row, without the batch axis; empty for a scalar
 */
final case class TensorSpec(name: String, dtype: String, shape: Seq[Int]) {

  /** The Spark type of one element. */
  def elementType: DataType = TensorSpec.Types(dtype)

  /** The Spark type of the value for one row: arrays nested to the tensor's rank. */
  def dataType: DataType = shape.foldLeft(elementType)((element, _) => ArrayType(element))

  /** A text such as `float32 [n, 4]`. */
  override def toString: String =
    s"$dtype ${("n" +: shape.map(_.toString)).mkString("[", ", ", "]")}"
}

object TensorSpec {

  /** Element types to the narrowest Spark type for each; Spark has no unsigned integers. */
  val Types: Map[String, DataType] = Map(
    "float32" -> FloatType,
    "float64" -> DoubleType,
    "uint8" -> ShortType,
    "int8" -> ByteType,
    "int16" -> ShortType,
    "int32" -> IntegerType,
    "int64" -> LongType,
    "bool" -> BooleanType,
  )
}
