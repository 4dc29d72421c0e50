package sightline.report

import org.apache.spark.sql.SparkSession

import sightline.schedule.{DriverPython, Interpreter}
import sightline.{ShellWords, SightlineException}

/**
 * Logs runs to an MLflow tracking server, by the Python client on the driver.
 *
 * @param uri the server's address
 * @param experiment the experiment, which is created if it does not exist
 * @param isOptional whether a failure to log is a warning and not an error
 * @param runName the name of the run there; None: that of the Python client
 */
final case class Tracking(
    uri: String,
    experiment: String,
    isOptional: Boolean,
    runName: Option[String] = None,
) {

  /**
   * Checks, before the run, that the server accepts runs.
   *
   * @return this; None, after a warning, if the server does not and tracking is optional
   * @throws SightlineException TRACKING_UNREACHABLE, MISSING_PACKAGE and others of `sightline track`
   */
  def check(spark: SparkSession): Option[Tracking] =
    try {
      command(spark, Seq("--check")): Unit
      Some(this)
    } catch {
      // Wrong use, such as an invalid address, is an error even if tracking is optional.
      case error: SightlineException
          if isOptional && (error.exitStatus == 1 || error.code == "MISSING_PACKAGE") =>
        System.err.println(s"warning: the run will not be tracked: ${error.getMessage}")
        None
    }

  /**
   * Logs a run.
   *
   * @param folder the output of `pca` or `train`, on the driver's disk
   * @param output the output as the user wrote it, for messages
   * @return messages for the console; a warning if logging failed and tracking is optional
   * @throws SightlineException NOT_TRACKED with the error of `sightline track`
   */
  def log(spark: SparkSession, folder: String, output: String): String =
    try command(spark, folder +: runName.toSeq.flatMap(Seq("--run-name", _)))
    catch {
      case error: SightlineException =>
        val again = ShellWords.line(
          Seq("sightline", "track", output, "--mlflow", uri, "--experiment", experiment)
        )
        val reason =
          s"$output is complete, but was not logged: ${error.detail} When the server is available " +
            s"(and the output is on this machine), log it by: $again"
        if (!isOptional) throw SightlineException("NOT_TRACKED", "reason" -> reason)
        s"warning: NOT_TRACKED: $reason"
    }

  private def command(spark: SparkSession, words: Seq[String]): String =
    DriverPython.command(
      Interpreter.ofDriver(spark.sparkContext.getConf),
      "track" +: words :++ Seq("--mlflow", uri, "--experiment", experiment),
    )
}
