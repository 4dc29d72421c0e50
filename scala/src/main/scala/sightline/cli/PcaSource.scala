package sightline.cli

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.json4s.JsonDSL.*
import org.json4s.{JObject, JString, JValue, jvalue2monadic}

import sightline.SightlineException
import sightline.pca.{ComponentFit, ComponentModel, FeatureCounts, FeatureTable, FittedComponents}
import sightline.report.{RunRecord, StageWithProgress, Stopwatch}
import sightline.source.Columns

/** The source of a run's components: a fit, or an earlier run. */
sealed trait PcaSource {

  /** The location that the run reads in addition to the features. */
  def input: Option[String]

  /** The fields of `run.json` for the source. */
  def json: JObject

  /**
   * Fits or loads the components.
   *
   * @param featuresRun the record of the run that wrote the features; JNothing if there is none
   * @throws SightlineException NO_TRAINING_ROWS, K_TOO_LARGE, NON_FINITE_FEATURES or NO_VARIANCE if
   *   the features cannot be fitted; FEATURES_MISMATCH if they are of another model
   */
  def components(
      spark: SparkSession,
      table: FeatureTable,
      counts: FeatureCounts,
      featuresRun: JValue,
      watch: Stopwatch,
  ): FittedComponents
}

object PcaSource {

  /**
   * Components fitted on the training rows.
   *
   * @param k the number of components to keep, at least 1
   */
  final case class Fit(k: Int) extends PcaSource {

    override def input: Option[String] = None
    override def json: JObject = JObject()

    override def components(
        spark: SparkSession,
        table: FeatureTable,
        counts: FeatureCounts,
        featuresRun: JValue,
        watch: Stopwatch,
    ): FittedComponents = {
      val rows = counts.splits.getOrElse(table.trainSplit, 0L)
      requireRows(counts, rows)
      val vectors = table.described(Some(table.trainSplit)).select(Columns.Features, Columns.Error)
      val fit =
        StageWithProgress(spark, watch, "pca_fit", rows, vectors)(
          ComponentFit(_, counts.features, k)
        )
      requireFinite(fit)
      FittedComponents(ComponentModel.of(fit), fit.shares.toSeq, Some(rows))
    }

    private def requireRows(counts: FeatureCounts, rows: Long): Unit = {
      if (rows == 0) {
        val splits = counts.splits.toSeq.sorted.map { case (split, n) => s"$n $split" }
        throw SightlineException("NO_TRAINING_ROWS", "rows" -> counts.rows, "splits" -> splits)
      }
      // n points span at most n - 1 directions after their mean is subtracted.
      val limit = math.min(counts.features.toLong, rows - 1)
      if (k > limit) {
        throw SightlineException(
          "K_TOO_LARGE",
          "k" -> k,
          "rows" -> rows,
          "features" -> counts.features,
          "limit" -> limit,
          "hint" -> (if (limit > 0) s"Use --k $limit or less." else "Give more rows."),
        )
      }
    }

    private def requireFinite(fit: ComponentFit): Unit = {
      val wrong = fit.means.zip(fit.deviations).indexWhere { case (mean, deviation) =>
        !mean.isFinite || !deviation.isFinite
      }
      if (wrong >= 0) {
        throw SightlineException(
          "NON_FINITE_FEATURES",
          "features" -> s"feature $wrong of some training row",
        )
      }
      if (fit.deviations.forall(_ == 0)) {
        throw SightlineException("NO_VARIANCE")
      }
    }
  }

  /**
   * Components that an earlier run fitted.
   *
   * @param run the output of that run, or the folder `model` in it
   */
  final case class Earlier(run: String) extends PcaSource {

    override def input: Option[String] = Some(run)
    override def json: JObject = "applied" -> run

    override def components(
        spark: SparkSession,
        table: FeatureTable,
        counts: FeatureCounts,
        featuresRun: JValue,
        watch: Stopwatch,
    ): FittedComponents = {
      val hadoop = spark.sessionState.newHadoopConf()
      val path = new Path(run)
      val within = new Path(path, "model")
      val folder = if (path.getFileSystem(hadoop).exists(within)) within else path
      val model = watch("load")(ComponentModel.load(spark, folder.toString))
      if (model.features != counts.features) {
        throw SightlineException(
          "FEATURES_MISMATCH",
          "run" -> run,
          "expected" -> s"${model.features} features",
          "found" -> s"${counts.features} features",
        )
      }
      val record = RunRecord.read(new Path(folder.getParent, "run.json"), hadoop)
      (sha256(record \ "features_run"), sha256(featuresRun)) match {
        case (Some(fittedOn), Some(ours)) if ours != fittedOn =>
          throw SightlineException(
            "FEATURES_MISMATCH",
            "run" -> run,
            "expected" -> s"features of the model ${fittedOn.take(12)}",
            "found" -> s"features of the model ${ours.take(12)}",
          )
        case (Some(_), Some(_)) => ()
        case _ =>
          System.err.println(
            "warning: there is no record that these features and the training features are of one model"
          )
      }
      FittedComponents(model, model.explainedVariance, None)
    }

    private def sha256(featuresRun: JValue): Option[String] =
      Option(featuresRun \ "model" \ "sha256").collect { case JString(hash) => hash }
  }
}
