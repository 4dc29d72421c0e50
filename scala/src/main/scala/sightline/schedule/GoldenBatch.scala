package sightline.schedule

import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.SightlineException
import sightline.model.Bundle

/** Runs a bundle's golden images on the driver: does it still give the numbers it was made with? */
object GoldenBatch {

  /**
   * @param allowCode whether the bundle may load Python code of its own
   * @throws SightlineException MODEL_UNFIT with what failed, CODE_NOT_ALLOWED, or of [[Preflight]]
   */
  def check(spark: SparkSession, bundle: Bundle, allowCode: Boolean): Unit = {
    val context = spark.sparkContext
    val executable = Interpreter.of(context.getConf)
    if (!allowCode) bundle.backends.foreach(Preflight.requireKnownCode(_, bundle))
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
    // The hashes alone do not say that it runs.
    if (!checks.exists(c => c.outcome == "ok" && c.golden)) {
      throw unfit(bundle, s"$executable has the runtime of none of its backends")
    }
  }

  private case class Check(subject: String, outcome: String, detail: String, golden: Boolean)

  private def unfit(bundle: Bundle, why: String): SightlineException =
    SightlineException("MODEL_UNFIT", "model" -> bundle.manifest.name, "reason" -> why)
}
