package sightline.plan

import org.apache.spark.ml.linalg.SQLDataTypes
import org.apache.spark.mllib.linalg.VectorUDT
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.codegen.{CodegenContext, ExprCode}
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression}
import org.apache.spark.sql.catalyst.util.{ArrayData, GenericArrayData}
import org.apache.spark.sql.types.{ArrayType, DataType, DoubleType}

/**
 * The numbers of an ML vector, dense or sparse, as array<double>.
 *
 * Spark's `vector_to_array` is a UDF of Scala. This is an ordinary expression, which Spark compiles,
 * compares and moves like any other.
 *
 * @param child a value of type [[VectorArray.isVector]]
 */
final case class VectorArray(child: Expression) extends UnaryExpression {

  override def dataType: DataType = VectorArray.ArrayOfDoubles
  override def prettyName: String = "vector_array"
  override def sql: String = child.sql

  override protected def nullSafeEval(vector: Any): Any =
    VectorArray.numbers(vector.asInstanceOf[InternalRow])

  override protected def doGenCode(context: CodegenContext, code: ExprCode): ExprCode = {
    val numbers = classOf[VectorArray].getName
    defineCodeGen(context, code, vector => s"$numbers.numbers($vector)")
  }

  override protected def withNewChildInternal(newChild: Expression): VectorArray =
    copy(child = newChild)
}

object VectorArray {

  val ArrayOfDoubles: ArrayType = ArrayType(DoubleType, containsNull = false)

  /** Whether a type is the vector of `spark.ml` or of `spark.mllib`. */
  def isVector(dataType: DataType): Boolean = Types.contains(dataType)

  private val Types: Seq[DataType] = Seq(SQLDataTypes.VectorType, new VectorUDT)

  // Spark's row of a vector: kind (0 sparse, 1 dense), size, indices, values.
  private val Kind = 0
  private val Size = 1
  private val Indices = 2
  private val Values = 3
  private val Sparse: Byte = 0

  /** The numbers of a vector in Spark's internal format. */
  def numbers(vector: InternalRow): ArrayData = {
    val values = vector.getArray(Values)
    if (vector.getByte(Kind) != Sparse) values
    else {
      val all = new Array[Double](vector.getInt(Size))
      val indices = vector.getArray(Indices).toIntArray()
      indices.zip(values.toDoubleArray()).foreach { case (at, value) => all(at) = value }
      new GenericArrayData(all)
    }
  }
}
