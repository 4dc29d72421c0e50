package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Expression, LambdaFunction, OuterReference}
import org.apache.spark.sql.catalyst.plans.logical.{Command, Join, LogicalPlan, UnaryNode}
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.SightlineException

/** Says of a call of a model that cannot be evaluated once a row where it stands, and what to do. */
object CheckInference extends (LogicalPlan => Unit) {

  override def apply(plan: LogicalPlan): Unit = AnalysisErrors.analysed {
    plan.foreachWithSubqueries { operator =>
      operator.expressions.foreach { expression =>
        calls(expression).foreach(call => wrong(operator, expression, call).foreach(throw _))
      }
    }
  }

  private def wrong(
      operator: LogicalPlan,
      expression: Expression,
      call: InferenceCall,
  ): Option[SightlineException] = {
    val inLambda = expression.exists {
      case lambda: LambdaFunction => calls(lambda).nonEmpty
      case _ => false
    }
    val where = operator match {
      case _ if inLambda => Some("in a lambda" -> "Explode the array, and call it for each row")
      case _: Join => Some("in a JOIN condition" -> "Call it in a subquery, and join by its result")
      case _ if call.exists(_.isInstanceOf[OuterReference]) =>
        Some("in a subquery with a column of the outer query" -> "Call it in the outer query")
      case command: Command =>
        Some(s"in ${command.nodeName}" -> "Select the rows by it first: WHERE id IN (SELECT …)")
      case _: UnaryNode => None
      case other => Some(s"in ${other.nodeName}" -> "Call it in a SELECT, and use its result")
    }
    where.map { case (place, instead) =>
      SightlineException(
        "WRONG_PLACE",
        "function" -> call.function,
        "place" -> place,
        "hint" -> s"$instead.",
      )
    }
  }

  private def calls(expression: Expression): Seq[InferenceCall] =
    expression.collect { case call: InferenceCall => call }
}
