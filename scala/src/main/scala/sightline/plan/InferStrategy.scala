package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.planning.PhysicalOperation
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.apache.spark.sql.execution.{FilterExec, ProjectExec, SparkPlan, SparkStrategy}
import org.apache.spark.sql.sightline.WorkerErrorsExec
import org.apache.spark.sql.types.{StructField, StructType}

import sightline.schedule.WorkerCounters
import sightline.source.Columns

/** Plans an [[Infer]] as Spark's own Arrow operators, which run Sightline's Python worker. */
final class InferStrategy(spark: SparkSession) extends SparkStrategy {

  private def counters = WorkerCounters.ofSql(spark.sparkContext)

  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case PhysicalOperation(projects, filters, infer: Infer)
        if infer.call.result == InferenceResult.Row =>
      Seq(bulk(projects, filters, infer))
    case Infer(call, result, child, _) =>
      val udf = call.inference
        .scalar(spark, call.result.worker, Some(counters))
        .scalar(call.description, call.dataType, Seq(call.child))
      Seq(
        WorkerErrorsExec(
          ArrowEvalPythonExec(Seq(udf), Seq(result), planLater(child), udf.evalType)
        )
      )
    case _ => Nil
  }

  /** Sends whole rows through the worker, without columns that are not used after it. */
  private def bulk(
      projects: Seq[NamedExpression],
      filters: Seq[Expression],
      infer: Infer,
  ): SparkPlan = {
    val Infer(call, result, child, _) = infer
    val needed = AttributeSet((projects ++ filters).flatMap(_.references))
    val kept = child.output.filter(needed.contains)
    val names = InferStrategy.names(kept)
    val input = Project(
      kept.zip(names).map { case (column, name) =>
        if (column.name == name) column else Alias(column, name)()
      } ++ Seq(
        Alias(field(call.child, 0), Columns.WorkerContent)(),
        Alias(field(call.child, 1), Columns.WorkerError)(),
      ),
      child,
    )
    val answers = call.result.dataType.map(f => AttributeReference(f.name, f.dataType)())
    val output = kept ++ answers
    val udf = call.inference
      .bulk(spark, Columns.Prediction, Some(counters))
      .mapper(call.description, structOf(names ++ answers.map(_.name), output), input.output)
    val rows = WorkerErrorsExec(
      MapInArrowExec(udf, output, planLater(input), isBarrier = false, profile = None)
    )

    def answered(expression: Expression): Expression = expression.transformDown {
      case GetStructField(a: Attribute, ordinal, _) if a.exprId == result.exprId =>
        answers(ordinal)
      case a: Attribute if a.exprId == result.exprId =>
        CreateNamedStruct(answers.flatMap(answer => Seq(Literal(answer.name), answer)))
    }
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

  private def field(image: Expression, ordinal: Int): Expression = image match {
    case CreateNamedStruct(parts) => parts(2 * ordinal + 1)
    case other => GetStructField(other, ordinal)
  }
}

object InferStrategy {

  private val Reserved =
    Set(Columns.Prediction, Columns.Error, Columns.WorkerContent, Columns.WorkerError)

  /**
   * The columns' names in the worker. Each name must be unique, because Spark's Python code finds
   * the returned columns by name.
   */
  private def names(columns: Seq[Attribute]): Seq[String] =
    columns.map(_.name).zipWithIndex.map { case (name, at) =>
      if (!Reserved(name) && columns.count(_.name == name) == 1) name else s"__column$at"
    }
}
