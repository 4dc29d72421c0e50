package sightline.sql

import scala.util.control.NonFatal

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression}
import org.apache.spark.sql.types.DataType

/**
 * The value of `child`, or NULL for a row where evaluating it fails.
 *
 * Spark's own TryEval cannot be used: the optimizer (PushFoldableIntoBranches) moves it into the
 * branches of an IF, where it does not cover the condition.
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
