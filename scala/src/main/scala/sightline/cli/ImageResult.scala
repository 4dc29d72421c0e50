package sightline.cli

import org.apache.spark.sql.types.{ArrayType, DataType, FloatType}

import sightline.ShellWords
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

  /** The command line that takes up what was written to `output`. */
  def next(output: String): String
}

object ImageResult {

  case object Prediction
      extends ImageResult("predict", Columns.Prediction, Columns.PredictionType, "predicted") {
    override def next(output: String): String =
      ShellWords.line(Seq("evaluate", "--predictions", output, "--output", "evaluation"))
  }

  case object Features
      extends ImageResult("features", Columns.Features, ArrayType(FloatType), "with features") {
    override def next(output: String): String =
      ShellWords.line(
        Seq("pca", "--features", output, "--output", s"${output.stripSuffix("/")}_pca")
      )
  }
}
