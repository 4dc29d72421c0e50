package sightline.cli

import sightline.pca.{FeatureCounts, FittedComponents}
import sightline.report.Stopwatch
import sightline.source.Split

/** The message of `pca` at its end. */
object PcaSummary {

  def text(
      output: String,
      counts: FeatureCounts,
      fitted: FittedComponents,
      watch: Stopwatch,
      hasPage: Boolean,
  ): String = {
    val model = fitted.model
    val splits = counts.splits.toSeq
      .sortBy(_._1)(Split.order)
      .map { case (split, n) => f"$n%,d $split" }
      .mkString(", ")
    val failed = counts.errors.values.sum
    val how = fitted.fittedOn.fold("by an earlier model")(n => f"fitted on $n%,d")
    val enough = FittedComponents.Shares.flatMap { share =>
      fitted.componentsFor(share).map(n => f"$n for ${100 * share}%.0f%%")
    }
    val files = Seq("components/", "csv/", "run.json", "model/") ++
      Option.when(hasPage)("report.html, pca_variance.png")
    f"""${counts.rows}%,d rows ($splits), $failed%,d without features left out
       |${model.features} features → ${model.k} components, $how; they explain ${100 * fitted.explained}%.1f%% of the variance
       |Components that keep more: ${if (enough.isEmpty) "not known" else enough.mkString(", ")}
       |${watch.text}
       |Written to $output: ${files.mkString(", ")}""".stripMargin
  }
}
