package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.SightlineException

/**
 * Evaluates `input_file_name()` and similar functions below inference.
 *
 * They return the file that Spark is reading. Spark reads some batches ahead of a Python worker, so above
 * the worker they would return a file other than the row's.
 */
private[plan] object InputFileColumns {

  /** @throws org.apache.spark.sql.AnalysisException WRONG_PLACE above a WITH of inferred rows */
  def apply(plan: LogicalPlan): LogicalPlan = {
    lazy val inferred = plan.collectWithSubqueries {
      case definition: CTERelationDef if path(definition.child).exists(isInfer) => definition.id
    }.toSet
    plan.transformUpWithSubqueries {
      case operator: UnaryNode if asks(operator) =>
        val below = path(operator.child)
        below.last match {
          case reference: CTERelationRef if inferred(reference.cteId) =>
            AnalysisErrors.analysed(throw wrongPlace("a model's function"))
          case _ if below.exists(isInfer) => columns(operator)
          case _ => operator
        }
    }
  }

  def wrongPlace(function: String): SightlineException = SightlineException(
    "WRONG_PLACE",
    "function" -> "input_file_name",
    "place" -> s"above a join, a union or a WITH of the results of $function",
    "hint" -> "Select it, or _metadata.file_path, where the files are read.",
  )

  def asks(operator: LogicalPlan): Boolean = operator.expressions.exists(_.exists(isInputFile))

  /** The operator and those below it, as long as rows pass one by one in the order of reading. */
  def path(plan: LogicalPlan): List[LogicalPlan] = plan match {
    case _: Project | _: Infer | _: Filter | _: SubqueryAlias | _: View | _: ResolvedHint |
        _: Sample | _: LocalLimit | _: Generate =>
      plan :: path(plan.children.head)
    case _ => List(plan)
  }

  private def columns(operator: UnaryNode): LogicalPlan = {
    val lowest = path(operator.child).filter(isInfer).last
    val columns = operator.expressions
      .flatMap(_.collect { case e if isInputFile(e) => e })
      .distinctBy(_.canonicalized)
      .map(e => e.canonicalized -> Alias(e, e.prettyName)())
    val read = lowest.children.map(child => Project(child.output ++ columns.map(_._2), child))
    val child = operator.child.transformUp {
      case plan if plan.eq(lowest) => plan.withNewChildren(read)
    }
    val carried = KnownAnswers.carry(child, columns.map(_._2.toAttribute))
    val columnOf = columns.toMap
    val replaced = operator.withNewChildren(Seq(carried)).transformExpressions {
      case e if isInputFile(e) => columnOf(e.canonicalized).toAttribute
    }
    if (replaced.output == operator.output) replaced else Project(operator.output, replaced)
  }

  private def isInfer(plan: LogicalPlan): Boolean = plan.isInstanceOf[Infer]

  private def isInputFile(expression: Expression): Boolean = expression match {
    case _: InputFileName | _: InputFileBlockStart | _: InputFileBlockLength => true
    case _ => false
  }
}
