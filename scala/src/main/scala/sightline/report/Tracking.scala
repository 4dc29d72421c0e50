package sightline.report

import org.apache.spark.sql.SparkSession

import sightline.schedule.{DriverPython, Interpreter}
import sightline.{ShellWords, SightlineException}

/**
 * An MLflow tracking server that a run is logged to, by the Python client on the driver.
 *
 * @param uri of the server
 * @param experiment made if there is none
 * @param isOptional whether a run goes on without it
 */
final case class Tracking(uri: String, experiment: String, isOptional: Boolean) {

  /**
   * Asks, before any work, whether the server would take a run.
   *
   * @return this, or None if it would not and a run goes on without, which a warning tells
   * @throws SightlineException TRACKING_UNREACHABLE, MISSING_PACKAGE and others of `sightline track`
   */
  def check(spark: SparkSession): Option[Tracking] =
    try {
      command(spark, Seq("--check")): Unit
      Some(this)
    } catch {
      // A name or an address that is wrong will not be right later.
      case error: SightlineException
          if isOptional && (error.exitStatus == 1 || error.code == "MISSING_PACKAGE") =>
        System.err.println(s"warning: the run will not be tracked: ${error.getMessage}")
        None
    }

  /**
   * Logs a run; where that is optional, a failure is a warning.
   *
   * @param folder that `pca` wrote, on the driver's disk
   * @param output what the user calls it
   * @return what there is to say of it, in lines
   * @throws SightlineException as `sightline track`, and that the output is there all the same
   */
  def log(spark: SparkSession, folder: String, output: String): String =
    try command(spark, Seq(folder))
    catch {
      case error: SightlineException =>
        val again = ShellWords.line(
          Seq("sightline", "track", output, "--mlflow", uri, "--experiment", experiment)
        )
        val told =
          s"$output is complete, but was not logged: ${error.detail} When the server is there " +
            s"(and the output on this machine), log it by: $again"
        if (!isOptional) throw SightlineException("NOT_TRACKED", "reason" -> told)
        s"warning: NOT_TRACKED: $told"
    }

  private def command(spark: SparkSession, words: Seq[String]): String =
    DriverPython.command(
      Interpreter.of(spark.sparkContext.getConf),
      "track" +: words :++ Seq("--mlflow", uri, "--experiment", experiment),
    )
}
