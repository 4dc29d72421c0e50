package sightline.cli

import sightline.ShellWords
import sightline.model.{ResultType, Signature}
import sightline.report.TrueLabels

/**
 * The kind of result of a run over images.
 *
 * @param command the name of the command
 * @param done the word for successful images in the summary
 */
sealed abstract class ImageResult(val command: String, val done: String) {

  /**
   * The result of the model for an image.
   *
   * @param topK the number of labels in a prediction, at least 1
   */
  def resultType(signature: Signature, topK: Int): ResultType

  /**
   * One line with the command to run next.
   *
   * @param output the output of this run
   * @param labels the comparison of the true labels with the model's; None if the run made none
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
        "No evaluation: most of the true labels are not labels of the model. Set the column of true " +
          "labels with --label-column, or rename the folders."
      } else {
        "No evaluation: no image has a true label. Set the source of labels with --labels folder or " +
          "--label-column."
      }
  }

  case object Features extends ImageResult("features", "with features") {
    override def resultType(signature: Signature, topK: Int): ResultType = ResultType.Vector()

    override def next(output: String, labels: Option[TrueLabels]): String =
      line("pca", "--features", output, "--output", s"${output.stripSuffix("/")}_pca")
  }

  private def line(words: String*): String =
    s"Next: spark-submit sightline.jar ${ShellWords.line(words)}"
}
