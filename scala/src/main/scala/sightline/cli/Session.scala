package sightline.cli

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** The Spark session of a command, with settings for images. */
object Session {

  private val Extensions = "spark.sql.extensions"

  /** Settings that apply unless the user sets them. */
  private val defaults = Seq(
    // Spark's messages would hide those of the run.
    "spark.log.level" -> "WARN",
    "spark.ui.showConsoleProgress" -> "false",
    // Without validation mapInArrow assigns columns by position and checks nothing.
    "spark.sql.execution.arrow.pyspark.validateSchema.enabled" -> "true",
    // A worker that a signal kills prints its stack.
    "spark.python.worker.faulthandler.enabled" -> "true",
    // A file that cannot be read is an error row; with these settings it would be missing.
    "spark.sql.files.ignoreCorruptFiles" -> "false",
    "spark.sql.files.ignoreMissingFiles" -> "false",
  )

  /** Loggers of warnings that a user cannot act on. */
  val quiet: Seq[String] = Seq(
    // Warns that there is no native library; the JVM's vector instructions are used instead.
    "dev.ludovic.netlib",
    // Warns that a plan with many columns is truncated in the event log.
    "org.apache.spark.util.SparkStringUtils",
    // Warns about columns beyond a table's header, which detect rows with too many fields.
    "org.apache.spark.sql.catalyst.csv.CSVHeaderChecker",
    // Prints each attempt of a failed task with its trace; the command prints the error once.
    "org.apache.spark.scheduler.TaskSetManager",
    // Warn about a name that is taken in an object store, and print all counters of its stream.
    "org.apache.hadoop.fs.s3a.S3ABlockOutputStream",
    "org.apache.hadoop.fs.s3a.S3AInstrumentation",
    // Warns about renames in an object store; Sightline's outputs are marked as incomplete until their end.
    "org.apache.hadoop.fs.s3a.commit.AbstractS3ACommitterFactory",
  )

  /** Loggers that repeat the trace of a failed task. */
  val silent: Seq[String] = Seq(
    "org.apache.spark.executor.Executor",
    "org.apache.spark.sql.execution.datasources.FileFormatWriter",
    // Repeats the error of a storage that also fails to remove a task's files.
    "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol",
    "org.apache.spark.util.Utils",
  )

  /** Settings for local mode that apply unless the user sets them. */
  private val localDefaults = Seq(
    // Running tasks report their counts with heartbeats; the default of 10 seconds is too slow.
    "spark.executor.heartbeatInterval" -> "2s",
    // The default of 200 tasks is too many for the small tables of an evaluation.
    "spark.sql.shuffle.partitions" -> "8",
  )

  /** Starts the session of a command, with Sightline's SQL extensions. */
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
