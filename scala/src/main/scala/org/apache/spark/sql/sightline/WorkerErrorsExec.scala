package org.apache.spark.sql.sightline

import org.apache.spark.JobArtifactSet
import org.apache.spark.api.python.PythonException
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, SortOrder}
import org.apache.spark.sql.catalyst.plans.physical.Partitioning
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.apache.spark.sql.execution.{SparkPlan, UnaryExecNode}

import sightline.ErrorTranslation

/**
 * Translates the errors of an operator that runs Sightline's worker to Sightline errors, limits the
 * record batches that the operator sends, adds the worker's archives to the session of the job, and
 * shows the worker's counters as metrics.
 *
 * Spark reports an error that has a condition unchanged, but other errors as a failed job with a
 * traceback of the worker.
 *
 * @param archives the URIs of the model and the Python package, see [[SessionArchives]]
 * @param codes the codes of errors that a row can have
 */
final case class WorkerErrorsExec(child: SparkPlan, archives: Seq[String], codes: Seq[String])
    extends UnaryExecNode {

  // The name in EXPLAIN and on Spark's page, whose readers look for the inference.
  override def nodeName: String = "Infer"

  override lazy val metrics: Map[String, SQLMetric] = InferMetrics(sparkContext, codes)

  // EXPLAIN does not need the driver's paths.
  override protected def stringArgs: Iterator[Any] = Iterator(child)

  override def output: Seq[Attribute] = child.output
  override def outputPartitioning: Partitioning = child.outputPartitioning
  override def outputOrdering: Seq[SortOrder] = child.outputOrdering

  private val planned = JobArtifactSet.getCurrentJobArtifactState.map(_.uuid)

  /**
   * The operator, for the session of the job. Spark's operators keep the session of the thread that
   * made them, and their workers search for archives only in its folder.
   */
  private def operator: SparkPlan =
    if (planned == JobArtifactSet.getCurrentJobArtifactState.map(_.uuid)) child
    else
      child match {
        case arrow: ArrowEvalPythonExec => arrow.copy()
        case map: MapInArrowExec => map.copy()
        case other => other
      }

  override protected def doExecute(): RDD[InternalRow] = {
    archives.foreach(SessionArchives.addToJob(sparkContext, _))
    val shown = metrics
    SmallRecordBatches(operator.execute(), conf).mapPartitionsInternal { rows =>
      new Iterator[InternalRow] {
        override def hasNext: Boolean = {
          val more = WorkerErrorsExec.translated(rows.hasNext)
          if (!more) InferMetrics.add(shown, TaskCounters.take())
          more
        }
        override def next(): InternalRow = WorkerErrorsExec.translated(rows.next())
      }
    }
  }

  override protected def withNewChildInternal(newChild: SparkPlan): SparkPlan =
    copy(child = newChild)
}

object WorkerErrorsExec {

  private def translated[A](use: => A): A =
    try use
    catch {
      case error: PythonException =>
        throw ErrorTranslation.translate(error).getOrElse(error)
    }
}
