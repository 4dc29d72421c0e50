package sightline.sql

import scala.util.control.NonFatal

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression}
import org.apache.spark.sql.types.DataType

/**
 * `child`, and NULL for a row for which evaluating it fails.
 *
 * Spark's own TryEval is of no use here: its optimizer moves that into the branches of an IF, where
 * it does not cover the condition (PushFoldableIntoBranches).
 */
final private[sql] case class NullIfFails(child: Expression)
    extends UnaryExpression
    with CodegenFallback {

  override def dataType: DataType = child.dataType
  override def nullable: Boolean = true
  override def prettyName: String = "null_if_fails"

  override def eval(input: InternalRow): Any =
    try child.eval(input)
    catch { case NonFatal(_) => None.orNull }

  override protected def withNewChildInternal(newChild: Expression): NullIfFails =
    copy(child = newChild)
}
