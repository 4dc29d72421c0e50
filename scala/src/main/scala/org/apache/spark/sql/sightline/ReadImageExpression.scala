package org.apache.spark.sql.sightline

import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression}
import org.apache.spark.sql.types.{DataType, NullType, StringType, StructType}

/** Reads the file at a path. Equal readers give the same result. */
trait PathReader extends Serializable {

  /** The type of the result. */
  def resultType: StructType

  /** Reads the file; an error is a value in the result, never an exception. */
  def read(path: String): Row
}

/**
 * The result of a reader for a path, evaluated in the row's task; null for a null path.
 *
 * @param child the path, a string
 */
final case class ReadImageExpression(child: Expression, reader: PathReader)
    extends UnaryExpression
    with CodegenFallback {

  override def checkInputDataTypes(): TypeCheckResult = child.dataType match {
    case _: StringType | NullType => TypeCheckResult.TypeCheckSuccess
    case other => TypeCheckResult.TypeCheckFailure(s"the path must be a string, not ${other.sql}")
  }

  override def stringArgs: Iterator[Any] = Iterator(child)
  override def sql: String = s"$prettyName(${child.sql})"

  override def dataType: DataType = reader.resultType
  override def nullable: Boolean = true
  override def prettyName: String = "read_image"

  override protected def nullSafeEval(path: Any): Any =
    InternalRows.of(reader.read(path.toString))

  override protected def withNewChildInternal(newChild: Expression): ReadImageExpression =
    copy(child = newChild)
}
