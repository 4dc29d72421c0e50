package sightline.schedule

import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.SightlineException
import sightline.model.Bundle

/**
 * Verification of a bundle on the driver: runs the model on the bundle's golden images and compares the
 * outputs with the recorded ones.
 */
object GoldenBatch {

  /**
   * Verifies the bundle with every backend whose packages the interpreter has.
   *
   * @param allowCode whether the bundle may load Python code of its own
   * @throws SightlineException MODEL_UNFIT with the failed checks, or if no backend can run the golden
   *   images; CODE_NOT_ALLOWED; errors of [[Preflight.checkPackages]]
   */
  def check(spark: SparkSession, bundle: Bundle, allowCode: Boolean): Unit = {
    val context = spark.sparkContext
    val executable = Interpreter.ofDriver(context.getConf)
    if (!allowCode) bundle.backends.foreach(Preflight.requireKnownCode(executable, _, bundle))
    Preflight.checkPackages(executable, context.version)
    val flag = if (allowCode) Seq("--allow-code") else Nil
    val answer =
      DriverPython.run(executable, "sightline.worker.golden_check", bundle.folder.toString +: flag)
    implicit val formats: Formats = DefaultFormats
    val checks = JsonMethods.parse(answer).extract[Seq[Check]]
    val failed = checks.filter(_.outcome == "failed")
    if (failed.nonEmpty) {
      throw unfit(bundle, failed.map(c => s"${c.subject}: ${c.detail}").mkString("; "))
    }
    // Correct hashes do not show that the model runs.
    if (!checks.exists(c => c.outcome == "ok" && c.golden)) {
      throw unfit(bundle, s"$executable has no runtime package for any of its backends")
    }
  }

  private case class Check(subject: String, outcome: String, detail: String, golden: Boolean)

  private def unfit(bundle: Bundle, why: String): SightlineException =
    SightlineException("MODEL_UNFIT", "model" -> bundle.manifest.name, "reason" -> why)
}
