package sightline.plan

import scala.annotation.tailrec

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.types.StructType

import sightline.model.ResultType
import sightline.model.ResultType.Several

/**
 * Makes one call of calls that differ only in their results, such as `ml_predict` and `ml_features`
 * of one model and one image. The model then runs once for all of them.
 */
private[plan] object CombinedCalls {

  /** Combines such calls in the expressions of one operator. */
  @tailrec
  def in(operator: LogicalPlan): LogicalPlan = {
    val calls = operator.expressions.flatMap(InferenceCall.in)
    calls.find(one =>
      calls.exists(other => alike(one, other) && one.result != other.result)
    ) match {
      case None => operator
      case Some(first) =>
        val same = calls.filter(alike(first, _))
        val combined = same.reduce(combine)
        in(operator.transformExpressionsUp {
          case call: InferenceCall if alike(first, call) => answer(call.result, combined).get
        })
    }
  }

  /** Whether two calls differ at most in their results. */
  def alike(one: InferenceCall, other: InferenceCall): Boolean =
    one.eq(other) || one.copy(result = other.result).semanticEquals(other)

  /**
   * The answer of a call with a result, as an expression on the answer of another call on the same
   * inputs. None if the other call does not compute the result.
   *
   * @param result the wanted result
   * @param answer the other call, or the column with its answer
   * @param of the result of the other call
   */
  def answer(result: ResultType, answer: Expression, of: ResultType): Option[Expression] = {
    val known = results(of)
    def field(at: Int): Expression = GetStructField(answer, at, Some(s"answer$at"))
    if (result == of) Some(answer)
    else if (!results(result).forall(known.contains)) None
    else {
      result match {
        case Several(wanted) =>
          val parts = wanted.zipWithIndex.flatMap { case (one, at) =>
            Seq(Literal(s"answer$at"), field(known.indexOf(one)))
          }
          val error = GetStructField(answer, known.size, Some("error"))
          Some(CreateNamedStruct(parts ++ Seq(Literal("error"), error)))
        case one => Some(field(known.indexOf(one)))
      }
    }
  }

  private def answer(result: ResultType, call: InferenceCall): Option[Expression] =
    answer(result, call, call.result)

  /** A call for the results of both. */
  def combine(one: InferenceCall, other: InferenceCall): InferenceCall = {
    val first = results(one.result)
    val (added, names) =
      results(other.result)
        .zip(InferenceCall.names(other))
        .filterNot(r => first.contains(r._1))
        .unzip
    if (added.isEmpty) one
    else {
      val function = InferenceCall.joined(InferenceCall.names(one) ++ names)
      one.copy(function = function, result = Several(first ++ added))
    }
  }

  /**
   * Adds the result of a call to an inference below an operator.
   *
   * @param infer an inference on the path below the operator, on the inputs of `call`
   * @return the operator, in which the answer of `infer` is a part of the answer of the new inference
   */
  def widen(operator: LogicalPlan, infer: Infer, call: InferenceCall): LogicalPlan = {
    val wide = infer.copy(
      call = combine(infer.call, call),
      result = Infer(combine(infer.call, call), infer.child).result,
    )
    val earlier = infer.result.exprId
    // A combined answer keeps the places of its parts.
    val answer = infer.call.result match {
      case _: Several => wide.result
      case one => CombinedCalls.answer(one, wide.result, wide.call.result).get
    }
    def inExpression(expression: Expression): Expression = expression.transform {
      case column: AttributeReference if column.exprId == earlier => answer
    }
    def below(plan: LogicalPlan): LogicalPlan = plan match {
      case found: Infer if found.result.exprId == earlier => wide
      case project: Project =>
        project.copy(
          projectList = project.projectList.map {
            case column: AttributeReference if column.exprId == earlier => wide.result
            case other => inExpression(other).asInstanceOf[NamedExpression]
          },
          child = below(project.child),
        )
      case other => within(other)
    }
    def within(plan: LogicalPlan): LogicalPlan = {
      val inside = plan.withNewChildren(Seq(below(plan.children.head)))
      inside.mapExpressions(inExpression)
    }
    operator match {
      case project: Project => below(project)
      case other => within(other)
    }
  }

  /**
   * A projection of a combined answer without the results that it does not use; None if it uses all,
   * or uses the answer as a whole.
   */
  def narrowed(project: Project, infer: Infer): Option[Project] = {
    val known = results(infer.call.result)
    val uses = project.projectList.flatMap(_.collect {
      case use @ Part(part) if part(infer) => use
    })
    val all = project.projectList.flatMap(_.collect { case column: AttributeReference => column })
    val used = uses.map(_.ordinal).distinct.filter(_ < known.size).sorted
    val isWhole = all.count(_.exprId == infer.result.exprId) > uses.size
    Option.when(!infer.shared && !isWhole && used.nonEmpty && used.size < known.size) {
      val kept = used.map(known)
      val result = if (kept.size == 1) kept.head else Several(kept)
      val names = InferenceCall.names(infer.call)
      val call =
        infer.call.copy(function = InferenceCall.joined(used.map(names)), result = result)
      val narrow = Infer(call, infer.child)
      val error =
        narrow.result.dataType.asInstanceOf[StructType].size - 1
      val list = project.projectList.map(_.transformUp {
        case use @ Part(part) if part(infer) =>
          if (use.ordinal < known.size) answer(known(use.ordinal), narrow.result, result).get
          else GetStructField(narrow.result, error, Some("error"))
      }.asInstanceOf[NamedExpression])
      project.copy(projectList = list, child = narrow)
    }
  }

  private def results(result: ResultType): Seq[ResultType] = result match {
    case Several(results) => results
    case one => Seq(one)
  }

  /** A field of an answer. */
  private object Part {
    def unapply(field: GetStructField): Option[Infer => Boolean] = field.child match {
      case column: AttributeReference =>
        Some(infer => isSeveral(infer) && column.exprId == infer.result.exprId)
      case _ => None
    }
  }

  private def isSeveral(infer: Infer): Boolean = infer.call.result.isInstanceOf[Several]
}
