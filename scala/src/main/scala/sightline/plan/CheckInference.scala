package sightline.plan

import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.catalyst.expressions.{Expression, LambdaFunction, OuterReference}
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.catalyst.streaming.StreamingRelationV2
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.SightlineException
import sightline.source.FolderTable

/**
 * Rejects a model call in a place where it cannot be evaluated once for each row, and suggests a
 * rewrite.
 *
 * It is a resolution rule that changes nothing. It is not a check rule, because Spark adds the
 * whole plan to the error message of a check rule.
 */
object CheckInference extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = AnalysisErrors.analysed {
    plan.foreachWithSubqueries { operator =>
      wrongInputFile(operator).foreach(throw _)
      operator.expressions.foreach { expression =>
        InferenceCall
          .in(expression)
          .foreach(call => wrong(operator, expression, call).foreach(throw _))
      }
    }
    plan
  }

  private def wrong(
      operator: LogicalPlan,
      expression: Expression,
      call: InferenceCall,
  ): Option[SightlineException] = {
    val inLambda = expression.exists {
      case lambda: LambdaFunction => InferenceCall.in(lambda).nonEmpty
      case _ => false
    }
    val where = operator match {
      case _ if inLambda => Some("in a lambda" -> "Explode the array, and call it for each row")
      case _: Join | _: LateralJoin =>
        Some("in a JOIN condition" -> "Call it in a subquery, and join by its result")
      case _ if call.exists(_.isInstanceOf[OuterReference]) =>
        Some("in a subquery with a column of the outer query" -> "Call it in the outer query")
      case command: Command =>
        Some(
          s"in ${command.nodeName}" -> "Call it in a subquery that selects the rows: WHERE id IN (SELECT …)"
        )
      case _: CollectMetrics if !inAggregateFunction(expression) =>
        Some(
          "outside an aggregate function in an observed metric" -> "Call it in a subquery, and observe its result"
        )
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

  private def inAggregateFunction(expression: Expression): Boolean = expression match {
    case _: InferenceCall => false
    case _: AggregateExpression => true
    case other => other.children.forall(inAggregateFunction)
  }

  /**
   * The error for `input_file_name()` above a join or a union of inferred rows. It cannot be a
   * column of those rows.
   */
  private def wrongInputFile(operator: LogicalPlan): Option[SightlineException] = {
    def inferred(plan: LogicalPlan): Option[InferenceCall] = {
      val path = InputFileColumns.path(plan)
      path.flatMap(_.expressions).flatMap(InferenceCall.in).headOption.orElse(inBranches(path.last))
    }
    def inBranches(plan: LogicalPlan): Option[InferenceCall] = plan match {
      // This operator shuffles. `input_file_name()` is empty above a shuffle in every query.
      case _: UnaryNode => None
      case other => other.children.flatMap(inferred).headOption
    }
    Option
      .when(InputFileColumns.asks(operator))(operator.children)
      .toSeq
      .flatten
      .flatMap(child => inBranches(InputFileColumns.path(child).last))
      .headOption
      .map(call => InputFileColumns.wrongPlace(call.function))
  }
}

/** Rejects `readStream.format("sightline")` when it is loaded, and suggests a source for streams. */
object RefuseStream extends (LogicalPlan => Unit) {

  override def apply(plan: LogicalPlan): Unit = plan.foreach {
    case stream: StreamingRelationV2 if stream.table.isInstanceOf[FolderTable] =>
      throw SightlineException("STREAM_NOT_SUPPORTED")
    case _ => ()
  }
}
