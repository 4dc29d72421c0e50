package sightline.cli

import java.util.Locale

import org.json4s.*

import sightline.report.Stopwatch
import sightline.train.Trained

/**
 * The message of `train` at its end.
 *
 * @param output the folder of the run as the user wrote it
 * @param registered the name and version in the models root; None: the model is not registered
 */
final case class TrainSummary(
    trained: Trained,
    output: String,
    watch: Stopwatch,
    registered: Option[(String, Int)],
) {

  implicit private val formats: Formats = DefaultFormats

  private def bundle: String = trained.bundle
  private def index: JValue = trained.index
  private def made: JValue = trained.made

  def text: String = {
    val samples =
      trained.counts.obj.map { case (part, n) => s"$part ${n.extract[Long]}" }.mkString(", ")
    val failed = (index \ "left_out").extract[Map[String, Long]].map { case (c, n) => s"$c $n" }
    val leftOut = if (failed.isEmpty) "" else failed.mkString("; left out: ", ", ", "")
    val part = (made \ "part").extractOpt[String].getOrElse("")
    val measures = (made \ "metrics").extract[Map[String, JValue]].toSeq.map {
      case (backend, metrics) => measure(backend, part, metrics)
    }
    val names = registered.map { case (name, version) => s"registered $name version $version" }
    val next = registered.fold(
      s"spark-submit sightline.jar predict --images FOLDER --model $bundle --output predictions"
    ) { case (name, _) => s"SELECT path, ml_predict('$name', content) FROM …" }
    (Seq(
      s"classes    ${(index \ "labels").extract[Seq[String]].size}",
      s"samples    $samples$leftOut",
    ) ++ measures ++ Seq(
      s"time       ${watch.text}",
      s"model      $bundle (from ${(made \ "checkpoint").extract[String]})",
      s"output     $output",
      s"report     $output/report.html",
    ) ++ names ++ Seq(s"next       $next")).mkString("\n")
  }

  private def measure(backend: String, part: String, metrics: JValue): String = String.format(
    Locale.ROOT,
    "%-9s  %s: top-1 %.1f %%, top-5 %.1f %%, calibration error %.3f, %d samples",
    backend,
    part,
    100 * (metrics \ "top1").extract[Double],
    100 * (metrics \ "top5").extract[Double],
    (metrics \ "calibration_error").extract[Double],
    (metrics \ "samples").extract[Long],
  )
}
