package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.trees.CurrentOrigin
import org.apache.spark.sql.execution.command.ShowCatalogsCommand

/** A Spark statement that replaces a Sightline statement while Spark parses a script. */
object StatementPlaceholder {

  /** The text of the placeholder `name`; the name must not contain quotes or backslashes. */
  def sql(name: String): String = s"SHOW CATALOGS LIKE '$name'"

  /** The parsed script with each placeholder replaced by its statement. */
  private[sightline] def replaced(
      script: LogicalPlan,
      statements: Map[String, Statement],
  ): LogicalPlan = script match {
    case body: CompoundBody =>
      mapped(body) {
        case SingleStatement(ShowCatalogsCommand(Some(name))) if statements.contains(name) =>
          SingleStatement(StatementCommand(statements(name)))
        case other => other
      }
    case other => other
  }

  /**
   * Applies `change` to each statement of a script that contains no other statements.
   *
   * Spark's own `transform` loses the handlers and ELSE branches of scripts.
   */
  private def mapped(script: CompoundBody)(
      change: CompoundPlanStatement => CompoundPlanStatement
  ): CompoundBody = {
    def body(one: CompoundBody): CompoundBody = kept(one) {
      one.copy(
        collection = one.collection.map(statement),
        handlers = one.handlers.map(handler => handler.copy(body = body(handler.body))),
      )
    }
    def statement(one: CompoundPlanStatement): CompoundPlanStatement = kept(one) {
      one match {
        case inner: CompoundBody => body(inner)
        case inner: IfElseStatement =>
          inner.copy(
            conditionalBodies = inner.conditionalBodies.map(body),
            elseBody = inner.elseBody.map(body),
          )
        case inner: SearchedCaseStatement =>
          inner.copy(
            conditionalBodies = inner.conditionalBodies.map(body),
            elseBody = inner.elseBody.map(body),
          )
        case inner: SimpleCaseStatement =>
          inner.copy(
            conditionalBodies = inner.conditionalBodies.map(body),
            elseBody = inner.elseBody.map(body),
          )
        case inner: WhileStatement => inner.copy(body = body(inner.body))
        case inner: RepeatStatement => inner.copy(body = body(inner.body))
        case inner: LoopStatement => inner.copy(body = body(inner.body))
        case inner: ForStatement => inner.copy(body = body(inner.body))
        case leaf => change(leaf)
      }
    }
    body(script)
  }

  /** Gives the node that `make` creates the same origin in the text as `old`. */
  private def kept[A <: LogicalPlan](old: LogicalPlan)(make: => A): A =
    CurrentOrigin.withOrigin(old.origin)(make)
}
