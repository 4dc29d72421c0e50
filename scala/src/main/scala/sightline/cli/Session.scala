package sightline.cli

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** The Spark session of a command, with the settings that image work needs. */
object Session {

  private val Extensions = "spark.sql.extensions"

  /** Set unless the user has set them: each with the reason why. */
  private val defaults = Seq(
    // Spark's notices would bury the run's own.
    "spark.log.level" -> "WARN",
    "spark.ui.showConsoleProgress" -> "false",
    // mapInArrow takes columns by position and checks nothing unless told to.
    "spark.sql.execution.arrow.pyspark.validateSchema.enabled" -> "true",
    // Batches by bytes, not rows: 10,000 photographs are a gigabyte.
    "spark.sql.execution.arrow.maxBytesPerBatch" -> (8L << 20).toString,
    // A worker that dies by a signal says where.
    "spark.python.worker.faulthandler.enabled" -> "true",
    // A file that cannot be read is an error row; these would drop it silently.
    "spark.sql.files.ignoreCorruptFiles" -> "false",
    "spark.sql.files.ignoreMissingFiles" -> "false",
  )

  /** Loggers whose warnings are about nothing that a user could mend. */
  val quiet: Seq[String] = Seq(
    // Linear algebra is done by the JVM's vector instructions where there is no native library.
    "dev.ludovic.netlib",
    // A plan of many columns is cut short in the event log.
    "org.apache.spark.util.SparkStringUtils",
    // A table's rows are read with room for fields beyond its header, so that long rows are seen.
    "org.apache.spark.sql.catalyst.csv.CSVHeaderChecker",
    // Each attempt of a failed task with its trace; how the job ended is told once, at the end.
    "org.apache.spark.scheduler.TaskSetManager",
  )

  /** Loggers that repeat the trace of a failed task, which the driver tells at the end. */
  val silent: Seq[String] = Seq(
    "org.apache.spark.executor.Executor",
    "org.apache.spark.sql.execution.datasources.FileFormatWriter",
    "org.apache.spark.util.Utils",
  )

  /** The same, on one machine. */
  private val localDefaults = Seq(
    // Running tasks report their counts with every heartbeat; every 10 seconds is dull.
    "spark.executor.heartbeatInterval" -> "2s",
    // The small tables of an evaluation are not worth 200 tasks.
    "spark.sql.shuffle.partitions" -> "8",
  )

  def start(name: String): SparkSession = {
    val conf = new SparkConf()
    val ours = classOf[sightline.sql.SightlineExtensions].getName
    val extensions = conf.getOption(Extensions).toSeq.flatMap(_.split(",")).filter(_.nonEmpty)
    val isLocal = conf.get("spark.master", "local").startsWith("local")
    (defaults ++ localDefaults.filter(_ => isLocal)).foreach { case (key, value) =>
      conf.setIfMissing(key, value)
    }
    conf.setIfMissing("spark.master", "local[*]")
    conf.set(Extensions, (extensions :+ ours).distinct.mkString(","))
    SparkSession.builder().config(conf).appName(name).getOrCreate()
  }
}
