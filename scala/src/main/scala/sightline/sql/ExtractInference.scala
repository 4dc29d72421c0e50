package sightline.sql

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.Literal.{FalseLiteral, TrueLiteral}
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule

/**
 * Replaces the calls of a model in an operator by the result of an [[Infer]] below that operator,
 * one node for all equal calls.
 *
 * It runs on the analysed plan of a whole query, before the optimizer: there, pushing a filter
 * through a projection would copy the call. (In the analyzer it would be too early: a self-join or
 * a CTE gives the columns of its second side new names, and knows how for projections only.)
 *
 * Spark applies it again to plans that it has changed already, such as a cached query whose table
 * gets new rows, or the steps of WITH RECURSIVE: they must come out as they are.
 */
object ExtractInference extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = {
    val extracted = plan.transformUpWithSubqueries {
      case aggregate: Aggregate if hasCall(aggregate) =>
        AggregateCalls.lift(aggregate) match {
          case lifted @ Project(_, below: Aggregate) => extract(lifted.copy(child = extract(below)))
          case other => extract(other)
        }
      case operator: UnaryNode if hasCall(operator) => extract(operator)
    }
    InputFileColumns(extracted)
  }

  private def hasCall(operator: LogicalPlan): Boolean = operator match {
    // The call of an Infer has been extracted.
    case _: Infer | _: Command => false
    case other => other.expressions.exists(_.exists(isCall))
  }

  private def extract(operator: LogicalPlan): LogicalPlan = {
    val output = operator.output
    val extracted = Iterator.iterate(operator)(extractOne).dropWhile(hasCall).next()
    if (extracted.output == output) extracted else Project(output, extracted)
  }

  /** Takes out a call that waits for no other: neither its image nor its guards hold one. */
  private def extractOne(operator: LogicalPlan): LogicalPlan = {
    val uses = GuardedCall.in(operator)
    val next = uses
      .find(use => (use.call.child +: use.guards).forall(!_.exists(isCall)))
      // A guard that holds the very call that it guards cannot be evaluated before it.
      .orElse(uses.find(!_.call.child.exists(isCall)))
      .map(_.call)
      .get
    val (below, result) =
      answered(next, uses.filter(use => same(use.call, next)), operator.children.head)
    operator
      .withNewChildren(Seq(below))
      .transformExpressionsDown { case call: InferenceCall if same(call, next) => result }
  }

  /** The plan below the operator with the answers to `call`, and the expression that gives them. */
  private def answered(
      call: InferenceCall,
      uses: Seq[GuardedCall],
      child: LogicalPlan,
  ): (LogicalPlan, Expression) = {
    val needed = condition(uses, child)
    val known = KnownAnswers.of(call, child)
    known
      .find(answer => answer.guard.isEmpty || same(answer.guard, needed))
      .map(answer => (KnownAnswers.carry(child, Seq(answer.result)), answer.result))
      .getOrElse {
        // What is known for some rows is inferred for the others only.
        val unknown = known.flatMap(_.guard).map(guard => Not(EqualNullSafe(guard, TrueLiteral)))
        val carried = KnownAnswers.carry(
          child,
          known.flatMap(answer => answer.result +: answer.guard.toSeq.flatMap(_.references)),
        )
        val (image, checked) = safe(call.child, uses, child)
        val infer =
          Infer(call.copy(child = where((needed ++ unknown).toSeq, image)), carried)
        val result = known.foldRight[Expression](infer.result) { case (answer, otherwise) =>
          answer.guard.fold[Expression](answer.result)(If(_, answer.result, otherwise))
        }
        (infer, checked(result))
      }
  }

  private def where(conditions: Seq[Expression], image: Expression): Expression =
    conditions
      .reduceOption(And.apply)
      .fold(image)(If(_, image, Literal(None.orNull, image.dataType)))

  /** The condition under which a use needs the answer; None: one may always need it. */
  private def condition(uses: Seq[GuardedCall], child: LogicalPlan): Option[Expression] = {
    val conditions = uses.map { use =>
      hoisted(use, child).reduceRightOption[Expression](If(_, _, FalseLiteral))
    }
    Option.when(conditions.forall(_.isDefined)) {
      // Each by itself: one that fails leaves the others what they are.
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
   * An image that may fail, where guards stay above: no row fails below, and those that are used fail
   * where they are used.
   */
  private def safe(
      image: Expression,
      uses: Seq[GuardedCall],
      child: LogicalPlan,
  ): (Expression, Expression => Expression) =
    if (CannotFail(image) || uses.forall(use => hoisted(use, child) == use.guards)) {
      (image, identity[Expression])
    } else {
      (
        CannotFail.orNull(image),
        result => If(IsNotNull(image), result, Literal(None.orNull, result.dataType)),
      )
    }

  /** No two calls of a random image are the same, but each is itself. */
  private def same(one: InferenceCall, other: InferenceCall): Boolean =
    one.eq(other) || one.semanticEquals(other)

  private def same(one: Option[Expression], other: Option[Expression]): Boolean =
    one.exists(condition => other.exists(condition.semanticEquals))

  private def isCall(expression: Expression): Boolean = expression.isInstanceOf[InferenceCall]
}
