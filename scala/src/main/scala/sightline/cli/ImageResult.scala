package sightline.cli

import sightline.ShellWords
import sightline.model.{ResultType, Signature}
import sightline.report.TrueLabels

/**
 * What a run over images is for.
 *
 * @param command the name of the command
 * @param done what a successful image is called in the summary
 */
sealed abstract class ImageResult(val command: String, val done: String) {

  /**
   * What the model gives for an image.
   *
   * @param topK how many labels a prediction lists, at least 1
   */
  def resultType(signature: Signature, topK: Int): ResultType

  /**
   * What to do with what was written to `output`, in a line.
   *
   * @param labels how the true labels fit the model's, where they were looked at
   */
  def next(output: String, labels: Option[TrueLabels]): String
}

object ImageResult {

  case object Prediction extends ImageResult("predict", "predicted") {
    override def resultType(signature: Signature, topK: Int): ResultType =
      ResultType.prediction(signature, topK)

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

  case object Features extends ImageResult("features", "with features") {
    override def resultType(signature: Signature, topK: Int): ResultType = ResultType.Vector

    override def next(output: String, labels: Option[TrueLabels]): String =
      line("pca", "--features", output, "--output", s"${output.stripSuffix("/")}_pca")
  }

  private def line(words: String*): String =
    s"Next: spark-submit sightline.jar ${ShellWords.line(words)}"
}
