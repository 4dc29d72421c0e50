package sightline.model

import org.apache.spark.sql.types.*

/**
 * A tensor of a model.
 *
 * @param dtype the type of the elements, as in `model.json`: one of [[TensorSpec.Types]]
 * @param shape the axes of one row, without the batch axis; empty for a scalar
 */
final case class TensorSpec(name: String, dtype: String, shape: Seq[Axis]) {

  /** The Spark type of one element. */
  def elementType: DataType = TensorSpec.Types(dtype)

  /** The Spark type of the value for one row: arrays nested to the tensor's rank. */
  def dataType: DataType = shape.foldLeft(elementType)((element, _) => ArrayType(element))

  /** Whether every row has the same shape. */
  def isFixed: Boolean = shape.forall(_.isInstanceOf[Axis.Fixed])

  /** A text such as `int64 [n, tokens]`. */
  override def toString: String =
    s"$dtype ${("n" +: shape.map(_.toString)).mkString("[", ", ", "]")}"
}

object TensorSpec {

  /** Element types to the narrowest Spark type for each; Spark has no unsigned integers. */
  val Types: Map[String, DataType] = Map(
    "float16" -> FloatType,
    "float32" -> FloatType,
    "float64" -> DoubleType,
    "uint8" -> ShortType,
    "uint16" -> IntegerType,
    "uint32" -> LongType,
    "uint64" -> DecimalType(20, 0),
    "int8" -> ByteType,
    "int16" -> ShortType,
    "int32" -> IntegerType,
    "int64" -> LongType,
    "bool" -> BooleanType,
  )
}

/** An axis of one row of a tensor. */
sealed trait Axis

object Axis {

  /** An axis with the same length in every row, at least 1. */
  final case class Fixed(length: Int) extends Axis {
    override def toString: String = length.toString
  }

  /**
   * An axis whose length each row chooses. Axes with the same name have the same length in one row.
   *
   * @param name letters, digits and `_`
   */
  final case class Free(name: String) extends Axis {
    override def toString: String = name
  }
}
