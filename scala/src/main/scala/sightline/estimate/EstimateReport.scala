package sightline.estimate

import java.util.Locale

import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.report.TextTable

/**
 * The printed estimate.
 *
 * @param start the measured stages before the first job, with their seconds
 * @param executors the number of executors of this application
 * @param cores the numbers of cores of the table; the first is that of this application
 */
final case class EstimateReport(
    estimate: RunEstimate,
    start: Seq[(String, Double)],
    bottleneck: String,
    advice: Seq[Advice],
    executors: Int,
    cores: Seq[Int],
    price: Option[NodePrice],
) {
  private val measured = estimate.measured
  private val parts = Seq(
    "read" -> measured.cpu.read,
    "transfer" -> measured.cpu.transfer,
    "decode" -> measured.cpu.decode,
    "model" -> measured.cpu.model,
  )
  private val runs = cores.map(estimate.on)

  def text: String = {
    val stages = start.map { case (stage, seconds) => s"$stage ${number(seconds, 1)}" }
    Seq(
      f"${estimate.images}%,d images; ${measured.images}%,d of them measured, " +
        s"${measured.slots} tasks at a time: $errorText",
      "",
      TextTable(Seq("part", "CPU-ms per image", "share %"))(
        parts.map { case (part, seconds) =>
          val share = 100 * seconds / math.max(measured.cpu.sum, 1e-9)
          Seq(part, number(1000 * seconds, 2), number(share, 0))
        } :+ Seq("all", number(1000 * measured.cpu.sum, 2), "100")
      ),
      s"Bottleneck: $bottleneck. A task takes ${number(1000 * measured.imageSeconds, 2)} ms for an " +
        s"image, and ${number(1000 * measured.readSeconds, 2)} ms if it only reads. All images: " +
        s"${number(estimate.cpuSeconds, 0)} CPU-s.$waitText",
      s"Fixed: ${stages.mkString(", ")}, first batches ${number(measured.firstSeconds, 1)} s; " +
        s"each task ${number(1000 * measured.taskSeconds, 0)} ms.",
      "",
      TextTable(header)(runs.map(row)),
      priceText,
      "",
      "Advice",
      aligned(advice.map(one => Seq(s"  ${one.setting}", one.value, one.reason))),
    ).mkString("\n")
  }

  def json: String = JsonMethods.pretty(
    ("images" -> estimate.images) ~
      ("bytes" -> estimate.bytes) ~
      ("sample" ->
        ("images" -> measured.images) ~
        ("executors" -> executors) ~
        ("tasks_at_a_time" -> measured.slots) ~
        ("errors" -> measured.errors)) ~
      ("errors" -> ("rate" -> JDouble(estimate.errorRate)) ~ ("images" -> estimate.errors)) ~
      ("cpu_ms_per_image" -> JObject(
        (parts :+ ("all" -> measured.cpu.sum)).map { case (part, seconds) =>
          JField(part, rounded(1000 * seconds))
        }.toList
      )) ~
      ("wall_ms_per_image" ->
        ("read" -> rounded(1000 * measured.readSeconds)) ~
        ("model" -> rounded(1000 * measured.modelSeconds)) ~
        ("task" -> rounded(1000 * measured.imageSeconds))) ~
      ("fixed_seconds" -> JObject(
        (start :+ ("first_batches" -> measured.firstSeconds) :+ ("task" -> measured.taskSeconds)).map {
          case (stage, seconds) => JField(stage, rounded(seconds))
        }.toList
      )) ~
      ("bottleneck" -> bottleneck) ~
      ("cpu_seconds" -> rounded(estimate.cpuSeconds)) ~
      ("runs" -> runs.map { run =>
        ("cores" -> run.cores) ~
          ("partitions" -> run.partitions) ~
          ("images_per_second" -> rounded(run.imagesPerSecond)) ~
          ("predict_seconds" -> rounded(run.inferSeconds)) ~
          ("seconds" -> rounded(run.seconds)) ~
          ("hours" -> JDouble(run.seconds / 3600)) ~
          ("price" -> price.map(_.of(run)))
      }) ~
      ("advice" -> advice.map { one =>
        ("setting" -> one.setting) ~ ("value" -> one.value) ~ ("reason" -> one.reason)
      })
  )

  private def errorText: String =
    if (measured.errors.isEmpty) "no errors"
    else {
      val kinds = measured.errors.toSeq.sorted.map { case (code, n) => s"$n $code" }.mkString(", ")
      s"${measured.errors.values.sum} errors ($kinds), so about " +
        f"${estimate.errors}%,d (${100 * estimate.errorRate}%.1f %%) of all"
    }

  /** The time in which a task used none of its cores: on a CPU it should be short. */
  private def waitText: String = {
    val share = estimate.waitShare
    if (share < EstimateReport.MuchWaiting) ""
    else
      s"\nTasks waited for ${number(100 * share, 0)} % of their time: for the store, for a GPU, or for " +
        "cores that other programs used. If those will not run, measure again without them."
  }

  private def header: Seq[String] =
    Seq("cores", "images/s", "predict s", "whole s", "hours") ++ price.map(_ => "price")

  private def row(run: RunTime): Seq[String] = Seq(
    run.cores.toString,
    number(run.imagesPerSecond, 1),
    number(run.inferSeconds, 1),
    number(run.seconds, 1),
    number(run.seconds / 3600, 3),
  ) ++ price.map(one => number(one.of(run), 2))

  private def priceText: String = {
    val priced = price.map { one =>
      s" Nodes of ${one.nodeCores} cores at ${one.perHour} an hour are paid for the whole time."
    }
    val own = s"$executors executor${if (executors == 1) "" else "s"}"
    s"Row 1 is this application with $own; the others assume cores as fast as these. Not in it: the " +
      s"start of more executors, and the count of the output at the end.${priced.mkString}"
  }

  private def aligned(rows: Seq[Seq[String]]): String = {
    val widths = rows.map(_.init.map(_.length)).transpose.map(_.max)
    rows
      .map { row =>
        (row.init.zip(widths).map { case (cell, width) => cell.padTo(width, ' ') } :+ row.last)
          .mkString("  ")
      }
      .mkString("\n")
  }

  private def number(value: Double, decimals: Int): String =
    String.format(Locale.ROOT, s"%,.${decimals}f", value)

  private def rounded(value: Double): JDouble = JDouble(math.rint(value * 1e4) / 1e4)
}

object EstimateReport {
  private val MuchWaiting = 0.3
}
