package sightline.plan

import scala.util.control.NonFatal

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.sightline.ReadImageExpression
import org.apache.spark.sql.types.{BinaryType, DataType, StringType}

/**
 * Decides whether an expression can be evaluated for more rows than the query evaluates it for. `10 /
 * k`, for example, cannot: in ANSI mode it fails for k = 0, and a condition around it may exclude these
 * rows.
 */
private[plan] object CannotFail {

  /** Whether the expression's evaluation fails for no row. */
  def apply(expression: Expression): Boolean = expression match {
    case _: NullIfFails => true
    case replaceable: RuntimeReplaceable => apply(replaceable.replacement)
    case cast: Cast if cast.evalMode == EvalMode.TRY => apply(cast.child)
    case cast: Cast =>
      val read = cast.child.dataType
      val upward = Cast.canUpCast(read, cast.dataType) ||
        (read.isInstanceOf[StringType] && cast.dataType == BinaryType)
      upward && apply(cast.child)
    case _: Attribute | _: Literal | _: GetStructField | _: CreateNamedStruct |
        _: ReadImageExpression | _: IsNull | _: IsNotNull | _: IsNaN | _: Not | _: And | _: Or |
        _: BinaryComparison | _: In | _: InSet | _: StringPredicate | _: If | _: CaseWhen |
        _: Coalesce =>
      expression.children.forall(apply)
    case _ => false
  }

  /** The expression, with NULL as its value for rows where it fails. */
  def orNull(expression: Expression): Expression =
    if (apply(expression)) expression else NullIfFails(expression)
}

/**
 * The value of `child`, or NULL for a row where evaluating it fails.
 *
 * Spark's own TryEval cannot be used: the optimizer (PushFoldableIntoBranches) moves it into the
 * branches of an IF, where it does not cover the condition.
 */
final private[plan] case class NullIfFails(child: Expression)
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
