package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.planning.PhysicalOperation
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.apache.spark.sql.execution.{FilterExec, ProjectExec, SparkPlan, SparkStrategy}
import org.apache.spark.sql.sightline.{ArrowFunctions, SessionSettingsExec, WorkerErrorsExec}
import org.apache.spark.sql.types.{StructField, StructType}

import sightline.schedule.{TaskResources, WorkerCounters, WorkerSpec}
import sightline.source.ErrorCode

/** Plans an [[Infer]] as Spark's own Arrow operators, which run Sightline's Python worker. */
final class InferStrategy(spark: SparkSession) extends SparkStrategy {

  private def counters = WorkerCounters.of(spark.sparkContext)

  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case PhysicalOperation(projects, filters, infer: Infer) if sendsRows(infer.call) =>
      Seq(bulk(projects, filters, infer))
    case infer: Infer => Seq(scalar(infer))
    case _ => Nil
  }

  private def sendsRows(call: InferenceCall): Boolean =
    call.route == Route.Bulk || ArrowFunctions.evalType.isEmpty ||
      // Spark's operator of scalar functions has no profile.
      call.inference.settings.resources != TaskResources()

  private def scalar(infer: Infer): SparkPlan = {
    val Infer(call, result, child, _) = infer
    val udf = call.inference
      .scalar(spark, call.result, Some(counters))
      .scalar(call.description, call.dataType, call.inputs)
    WorkerErrorsExec(
      ArrowEvalPythonExec(
        Seq(udf),
        Seq(result),
        SessionSettingsExec(planLater(child)),
        udf.evalType,
      ),
      call.inference.ship(spark),
      ErrorCode.all,
    )
  }

  /** Sends whole rows through the worker, without columns that are not used after it. */
  private def bulk(
      projects: Seq[NamedExpression],
      filters: Seq[Expression],
      infer: Infer,
  ): SparkPlan = {
    val Infer(call, result, child, _) = infer
    val needed = AttributeSet((projects ++ filters).flatMap(_.references))
    // The scalar route has no answer for a row without an input, and this route has an error.
    val noInput = Option.when(call.route == Route.Scalar)(InferStrategy.noInput(call))
    val kept = child.output.filter(needed.contains) ++ noInput.map(_.toAttribute)
    val answers = call.dataType.map(f => AttributeReference(f.name, f.dataType)())
    val names = InferStrategy.names(kept, answers.map(_.name))
    val columns = kept.map(column => noInput.filter(_.exprId == column.exprId).getOrElse(column))
    val (inputs, errors) = InferStrategy.inputs(call)
    val input = Project(
      columns.zip(names).map {
        case (column, name) if column.name == name => column
        case (Alias(value, _), name) => Alias(value, name)()
        case (column, name) => Alias(column, name)()
      } ++ inputs ++ errors,
      child,
    )
    val output = kept ++ answers
    val spec = WorkerSpec.Columns(inputs.map(_.name), InferStrategy.ErrorName)
    val udf = call.inference
      .bulk(spark, call.result, spec, Some(counters))
      .mapper(call.description, structOf(names ++ answers.map(_.name), output), input.output)
    val rows = WorkerErrorsExec(
      MapInArrowExec(
        udf,
        output,
        SessionSettingsExec(planLater(input)),
        isBarrier = false,
        profile = call.inference.settings.resources.profile(spark),
      ),
      call.inference.ship(spark),
      ErrorCode.all,
    )

    def answered(expression: Expression): Expression = expression.transformDown {
      case GetStructField(a: Attribute, ordinal, _) if a.exprId == result.exprId =>
        unlessNoInput(answers(ordinal))
      case a: Attribute if a.exprId == result.exprId =>
        unlessNoInput(
          CreateNamedStruct(answers.flatMap(answer => Seq(Literal(answer.name), answer)))
        )
    }
    def unlessNoInput(answer: Expression): Expression =
      noInput.fold(answer)(none => CaseWhen(Seq(Not(none.toAttribute) -> answer)))
    val filtered =
      filters.map(answered).reduceOption(And.apply).fold[SparkPlan](rows)(FilterExec(_, rows))
    ProjectExec(
      projects.map {
        case a: Attribute if a.exprId == result.exprId => Alias(answered(a), a.name)(a.exprId)
        case other => answered(other).asInstanceOf[NamedExpression]
      },
      filtered,
    )
  }

  private def structOf(names: Seq[String], columns: Seq[Attribute]): StructType =
    StructType(columns.zip(names).map { case (c, name) =>
      StructField(name, c.dataType, c.nullable, c.metadata)
    })
}

object InferStrategy {

  private def inputName(at: Int): String = s"__input$at"
  private val ErrorName = "__error"

  /** The columns of a call's inputs, and the column of errors of reading them if there can be any. */
  private def inputs(call: InferenceCall): (Seq[NamedExpression], Option[NamedExpression]) = {
    val parts = call.inputs.map { input =>
      if (ModelInputs.isRead(input.dataType)) {
        field(input, 0) -> Some(field(input, 1))
      } else input -> None
    }
    val values = parts.zipWithIndex.map { case ((value, _), at) => Alias(value, inputName(at))() }
    val error = parts.flatMap(_._2) match {
      case Seq() => None
      case Seq(only) => Some(only)
      case several => Some(Coalesce(several))
    }
    (values, error.map(Alias(_, ErrorName)()))
  }

  /** Whether all inputs of a call are NULL; an image that cannot be read is not. */
  private def noInput(call: InferenceCall): Alias = {
    val tests = call.inputs.map { input =>
      if (ModelInputs.isRead(input.dataType)) And(IsNull(field(input, 0)), IsNull(field(input, 1)))
      else IsNull(input)
    }
    Alias(tests.reduce(And.apply), "__none")()
  }

  private def field(image: Expression, ordinal: Int): Expression = image match {
    case CreateNamedStruct(parts) => parts(2 * ordinal + 1)
    case other => GetStructField(other, ordinal)
  }

  /**
   * The names in the worker of the columns that pass through it. Each name must be unique, because
   * Spark's Python code finds the returned columns by name.
   */
  private def names(columns: Seq[Attribute], answers: Seq[String]): Seq[String] = {
    val reserved = answers.toSet + ErrorName
    columns.map(_.name).zipWithIndex.map { case (name, at) =>
      val isFree =
        !reserved(name) && !name.startsWith("__input") && !name.startsWith("__column")
      if (isFree && columns.count(_.name == name) == 1) name else s"__column$at"
    }
  }
}
