package sightline.plan

import org.apache.spark.sql.Column
import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.analysis.TypeCheckResult.DataTypeMismatch
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke
import org.apache.spark.sql.catalyst.expressions.{Expression, Literal, RuntimeReplaceable}
import org.apache.spark.sql.catalyst.util.TypeUtils
import org.apache.spark.sql.sightline.Expressions
import org.apache.spark.sql.types.{ArrayType, DoubleType, FloatType, NullType}

/**
 * A similarity or distance of two vectors, `ARRAY<FLOAT>` each; a FLOAT. The types are not converted,
 * as in Spark 4.2. A NULL without a type is a NULL vector.
 *
 * @param function the SQL function's name
 * @param method the method of [[VectorMath]] that computes it
 */
final case class VectorExpression(
    function: String,
    method: String,
    left: Expression,
    right: Expression,
) extends RuntimeReplaceable {

  override def checkInputDataTypes(): TypeCheckResult =
    Seq("first" -> left, "second" -> right)
      .collectFirst {
        case (position, argument) if !VectorExpression.isVector(argument) =>
          DataTypeMismatch(
            errorSubClass = "UNEXPECTED_INPUT_TYPE",
            messageParameters = Map(
              "paramIndex" -> position,
              "requiredType" -> TypeUtils.toSQLType(ArrayType(FloatType)),
              "inputSql" -> TypeUtils.toSQLExpr(argument),
              "inputType" -> TypeUtils.toSQLType(argument.dataType),
            ),
          )
      }
      .getOrElse(TypeCheckResult.TypeCheckSuccess)

  // A NULL argument gives NULL, without a call of the method.
  override lazy val replacement: Expression =
    if (children.exists(_.dataType == NullType)) Literal(None.orNull, FloatType)
    else StaticInvoke(VectorMath.getClass, FloatType, method, Seq(left, right))

  override def prettyName: String = function
  override def sql: String = s"$function(${left.sql}, ${right.sql})"
  override def children: Seq[Expression] = Seq(left, right)

  override protected def withNewChildrenInternal(
      newChildren: IndexedSeq[Expression]
  ): VectorExpression =
    copy(left = newChildren(0), right = newChildren(1))
}

object VectorExpression {

  /**
   * The sum of the squares of a vector's elements, a DOUBLE: as a FLOAT it is infinite or 0 for some
   * finite vectors.
   */
  def sumOfSquares(vector: Column): Column = Expressions.mapped(vector) { value =>
    StaticInvoke(VectorMath.getClass, DoubleType, "sumOfSquares", Seq(value))
  }

  private def isVector(argument: Expression): Boolean = argument.dataType match {
    case ArrayType(FloatType, _) | NullType => true
    case _ => false
  }
}
