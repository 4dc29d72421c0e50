package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.Literal.{FalseLiteral, TrueLiteral}
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule

/**
 * Replaces the model calls in an operator by the result of an [[Infer]] node below that operator.
 * All equal calls share one node.
 *
 * It runs on the analyzed plan of a whole query, before the optimizer, because the optimizer would
 * copy a call when it pushes a filter through a projection. The analyzer would be too early: for a
 * self-join or a CTE it gives new names to the columns of the second side, and it can do this for
 * projections only.
 *
 * Spark applies this rule again to plans that it has already changed, such as a cached query whose
 * table gets new rows, or the steps of WITH RECURSIVE. The rule must not change these plans.
 */
final class ExtractInference(spark: SparkSession) extends Rule[LogicalPlan] {

  import ExtractInference.*

  override def apply(plan: LogicalPlan): LogicalPlan = InputFileColumns(
    if (plan.collectWithSubqueries { case operator if hasCall(operator) => operator }.isEmpty) plan
    else CachedRows.most(spark)(extractAll(plan, _))
  )
}

private object ExtractInference {

  /** @param keep marks the parts of an operator's input that must not change */
  private def extractAll(plan: LogicalPlan, keep: LogicalPlan => LogicalPlan): LogicalPlan = {
    def extractOf(operator: LogicalPlan): LogicalPlan =
      extract(operator.withNewChildren(operator.children.map(keep)))
    plan.transformUpWithSubqueries {
      case aggregate: Aggregate if hasCall(aggregate) =>
        AggregateCalls.lift(aggregate) match {
          case lifted @ Project(_, below: Aggregate) =>
            extractOf(lifted.copy(child = extractOf(below)))
          case other => extractOf(other)
        }
      case operator: UnaryNode if hasCall(operator) => extractOf(operator)
    }
  }

  private def hasCall(operator: LogicalPlan): Boolean = operator match {
    // The call of an Infer has already been extracted.
    case _: Infer | _: Command => false
    case other => other.expressions.exists(_.exists(isCall))
  }

  private def extract(operator: LogicalPlan): LogicalPlan = {
    val output = operator.output
    val combined = CombinedCalls.in(operator)
    val extracted = Iterator.iterate(combined)(extractOne).dropWhile(hasCall).next()
    if (extracted.output == output) extracted else Project(output, extracted)
  }

  /** Extracts a call that depends on no other call: neither its inputs nor its guards contain one. */
  private def extractOne(operator: LogicalPlan): LogicalPlan = {
    val uses = GuardedCall.in(operator)
    val next = uses
      .find(use => (use.call.inputs ++ use.guards).forall(!_.exists(isCall)))
      // A guard that contains the call that it guards cannot be evaluated before that call.
      .orElse(uses.find(!_.call.inputs.exists(_.exists(isCall))))
      .map(_.call)
      .get
    val usesOfNext = uses.filter(use => same(use.call, next))
    val wide = widened(operator, next, usesOfNext)
    val (below, result) = answered(next, usesOfNext, wide.children.head)
    wide
      .withNewChildren(Seq(below))
      .transformExpressionsDown { case call: InferenceCall if same(call, next) => result }
  }

  /**
   * The operator with an inference below it that also computes the result of `call`, if there is one
   * on the same inputs for each row that needs it.
   */
  private def widened(
      operator: LogicalPlan,
      call: InferenceCall,
      uses: Seq[GuardedCall],
  ): LogicalPlan = {
    val child = operator.children.head
    val needed = condition(uses, child)
    def isEnough(guard: Option[Expression]): Boolean = guard.isEmpty || same(guard, needed)
    if (KnownAnswers.of(call, child).exists(answer => isEnough(answer.guard))) operator
    else {
      KnownAnswers
        .alike(call, child)
        .collectFirst { case (infer, guard) if isEnough(guard) => infer }
        .fold(operator)(CombinedCalls.widen(operator, _, call))
    }
  }

  /** The plan below the operator with the answers to `call`, and the expression for these answers. */
  private def answered(
      call: InferenceCall,
      uses: Seq[GuardedCall],
      child: LogicalPlan,
  ): (LogicalPlan, Expression) = {
    val needed = condition(uses, child)
    val known = KnownAnswers.of(call, child)
    known
      .find(answer => answer.guard.isEmpty || same(answer.guard, needed))
      .map(answer => (KnownAnswers.carry(child, Seq(answer.infer.result)), answer.value))
      .getOrElse {
        // If the answer is known for some rows, inference runs for the other rows only.
        val unknown = known.flatMap(_.guard).map(guard => Not(EqualNullSafe(guard, TrueLiteral)))
        val carried = KnownAnswers.carry(
          child,
          known.flatMap(answer => answer.infer.result +: answer.guard.toSeq.flatMap(_.references)),
        )
        val (inputs, checked) = safe(call.inputs, uses, child)
        val conditions = (needed ++ unknown).toSeq
        val infer = Infer(call.copy(inputs = inputs.map(where(conditions, _))), carried)
        val result = known.foldRight[Expression](infer.result) { case (answer, otherwise) =>
          answer.guard.fold(answer.value)(If(_, answer.value, otherwise))
        }
        (infer, checked(result))
      }
  }

  private def where(conditions: Seq[Expression], input: Expression): Expression =
    conditions
      .reduceOption(And.apply)
      .fold(input)(If(_, input, Literal(None.orNull, input.dataType)))

  /** The condition under which some use needs the answer; None if a use may need it for every row. */
  private def condition(uses: Seq[GuardedCall], child: LogicalPlan): Option[Expression] = {
    val conditions = uses.map { use =>
      hoisted(use, child).reduceRightOption[Expression](If(_, _, FalseLiteral))
    }
    Option.when(conditions.forall(_.isDefined)) {
      // Each condition is wrapped separately, so that a failing one does not affect the others.
      conditions.flatten.distinct.map(CannotFail.orNull).reduce(Or.apply)
    }
  }

  /** The outermost guards of a use that can be evaluated below the operator. */
  private def hoisted(use: GuardedCall, child: LogicalPlan): Seq[Expression] =
    use.guards.takeWhile { guard =>
      guard.deterministic && guard.references.subsetOf(child.outputSet) && !guard.exists {
        case _: SubqueryExpression | _: OuterReference | _: WindowExpression => true
        case _: aggregate.AggregateExpression | _: Generator | _: NamedLambdaVariable => true
        case _: CommonExpressionRef => true
        case other => isCall(other)
      }
    }

  /**
   * The inputs to infer, and a function that adapts the result. If evaluating an input can fail and
   * some guards stay above, a failure gives NULL below the operator. The error is then raised
   * above, only for rows whose answer is used.
   */
  private def safe(
      inputs: Seq[Expression],
      uses: Seq[GuardedCall],
      child: LogicalPlan,
  ): (Seq[Expression], Expression => Expression) =
    if (inputs.forall(CannotFail(_)) || uses.forall(use => hoisted(use, child) == use.guards)) {
      (inputs, identity[Expression])
    } else {
      val allGiven = inputs.map(IsNotNull(_)) match {
        case Seq(only) => only
        // Unlike OR, it evaluates every input.
        case several => Greatest(several)
      }
      (
        inputs.map(CannotFail.orNull),
        result => If(allGiven, result, Literal(None.orNull, result.dataType)),
      )
    }

  /** Two calls on a random input are never equal, but each call is equal to itself. */
  private def same(one: InferenceCall, other: InferenceCall): Boolean =
    one.eq(other) || one.semanticEquals(other)

  private def same(one: Option[Expression], other: Option[Expression]): Boolean =
    one.exists(condition => other.exists(condition.semanticEquals))

  private def isCall(expression: Expression): Boolean = expression.isInstanceOf[InferenceCall]
}
