package org.apache.spark.sql.sightline

import org.apache.spark.api.python.PythonUtils
import org.apache.spark.{SparkContext, SparkEnv}

/**
 * An executor that is registered at the driver.
 *
 * @param id Spark's id; `driver` in local mode
 */
final case class Executor(id: String, host: String, cores: Int) {

  /** The name of its place for an RDD's preferred locations, which only this executor has. */
  def location: String = s"executor_${host}_$id"
}

/** The executors of an application. */
object Executors {

  /** The executors of this moment, by their id. */
  def of(context: SparkContext): Seq[Executor] =
    context.statusStore
      .executorList(activeOnly = true)
      .filter(one => context.isLocal || one.id != "driver")
      .map(one => Executor(one.id, one.hostPort.takeWhile(_ != ':'), one.totalCores))
      .sortBy(_.id)

  /** This process, if it is an executor: its id and its host, for messages. */
  def here: String = {
    val id = SparkEnv.get.blockManager.blockManagerId
    s"executor ${id.executorId} (${id.host})"
  }

  /** The folders and zips that Spark puts before those of PYTHONPATH in its Python workers. */
  def workerPythonPath: String = PythonUtils.sparkPythonPath
}
