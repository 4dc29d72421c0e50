package org.apache.spark.sql.sightline

import java.nio.file.Paths
import java.util

import org.apache.spark.TaskContext
import org.apache.spark.api.python.{PythonBroadcast, PythonFunction}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.CollectionAccumulator

/**
 * A Python function whose interpreter may have a relative path, such as `./environment/bin/python` of
 * an archive.
 *
 * Spark starts the workers of a session that has its own artifacts in a folder of the session, where
 * the archives of `--archives` are not. So a task makes the path absolute, from the executor's folder.
 */
final private case class NodePythonFunction(
    command: Seq[Byte],
    envVars: util.Map[String, String],
    pythonIncludes: util.List[String],
    executable: String,
    pythonVer: String,
    updates: Option[CollectionAccumulator[Array[Byte]]],
) extends PythonFunction {

  override def pythonExec: String =
    if (Option(TaskContext.get()).isEmpty || !executable.contains('/')) executable
    else Paths.get(executable).toAbsolutePath.normalize.toString

  override def broadcastVars: util.List[Broadcast[PythonBroadcast]] = util.List.of()

  override def accumulator: CollectionAccumulator[Array[Byte]] = updates.orNull
}
