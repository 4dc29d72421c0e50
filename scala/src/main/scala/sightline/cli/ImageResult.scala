package sightline.cli

import org.apache.spark.sql.types.{ArrayType, DataType, FloatType}

import sightline.ShellWords
import sightline.report.TrueLabels
import sightline.source.Columns

/**
 * What a run over images gives for each of them that could be read.
 *
 * @param command that asks for it
 * @param column name of its column, and of what the worker is asked for
 * @param done what has become of such an image, in a sentence
 */
sealed abstract class ImageResult(
    val command: String,
    val column: String,
    val dataType: DataType,
    val done: String,
) {

  /**
   * What to do with what was written to `output`, in a line.
   *
   * @param labels how the true labels fit the model's, where they were looked at
   */
  def next(output: String, labels: Option[TrueLabels]): String
}

object ImageResult {

  case object Prediction
      extends ImageResult("predict", Columns.Prediction, Columns.PredictionType, "predicted") {
    override def next(output: String, labels: Option[TrueLabels]): String =
      if (labels.forall(_.areComparable)) {
        line("evaluate", "--predictions", output, "--output", "evaluation")
      } else if (labels.exists(_.labelled > 0)) {
        "No evaluation: the true labels are mostly none of the model's. Name the column of true " +
          "labels by --label-column, or rename the folders."
      } else {
        "No evaluation: no image has a true label. Say where they are by --labels folder or " +
          "--label-column."
      }
  }

  case object Features
      extends ImageResult("features", Columns.Features, ArrayType(FloatType), "with features") {
    override def next(output: String, labels: Option[TrueLabels]): String =
      line("pca", "--features", output, "--output", s"${output.stripSuffix("/")}_pca")
  }

  private def line(words: String*): String =
    s"Next: spark-submit sightline.jar ${ShellWords.line(words)}"
}
