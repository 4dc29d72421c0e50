package sightline.cli

import sightline.report.{OutputFormat, RunRecord, Stopwatch}

/** The message of `predict` and `features` at their end. */
object ImageSummary {

  /** @param seconds the time of the inference of all images */
  def text(
      counts: ImageCounts,
      result: ImageResult,
      backend: String,
      seconds: Double,
      output: String,
      format: OutputFormat,
      watch: Stopwatch,
  ): String =
    f"""${counts.images}%,d images: ${counts.predicted}%,d ${result.done}, ${counts.errorText}
       |${counts.images / seconds}%.1f images/s with $backend
       |${watch.text}
       |Written to $output (${format.name}; run record: ${RunRecord.InDataFolder})""".stripMargin
}
