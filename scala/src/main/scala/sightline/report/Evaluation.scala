package sightline.report

import org.apache.spark.sql.functions.lit
import org.apache.spark.sql.{DataFrame, Row}
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.SightlineException
import sightline.source.Columns

/**
 * Predictions compared with true labels.
 *
 * A prediction is right if its class id is the true one, or its label if the true id is not known; an
 * error row is wrong.
 *
 * @param totals one row: rows, errors, unlabelled and the three accuracies, each 0 to 1
 * @param perClass a row for each class: label, class_id, support, predicted, precision, recall, f1
 * @param unnamed the ten most frequent true labels that occur in no prediction, with their images
 * @param matrix a row for each pair that occurs: actual, predicted (null for an error), count
 */
final case class Evaluation(
    totals: Row,
    unnamed: Seq[Row],
    perClass: DataFrame,
    matrix: DataFrame,
) {

  def rows: Long = totals.getAs[Long]("rows")
  def errors: Long = totals.getAs[Long]("errors")

  /** The number of images whose true label occurs in no prediction. */
  def unnamedImages: Long = unnamed.headOption.fold(0L)(_.getAs[Long]("all_images"))

  /** A warning if true labels occur in no prediction, because then the accuracies may be meaningless. */
  def warning: Option[String] = {
    val labelled = totals.getAs[Long]("rows") - totals.getAs[Long]("unlabelled")
    Option.when(unnamedImages > 0) {
      val commonest = unnamed.map(row => row.getAs[String]("actual") -> row.getAs[Long]("images"))
      f"$unnamedImages%,d of $labelled%,d images have a true label that occurs in no prediction: " +
        s"${TrueLabels.listed(commonest)}. If the model has other names for these classes, their " +
        "images count as wrong."
    }
  }

  /** Rows of `perClass`, sorted by class id and label. */
  lazy val classes: Seq[Row] = perClass.collect().toSeq

  /** Rows of `matrix`, sorted by actual class, then the most frequent first. */
  lazy val cells: Seq[Row] = matrix.collect().toSeq

  /** The content of `metrics.json`. */
  def json: JObject =
    JObject(Evaluation.TotalNames.map(name => JField(name, Evaluation.json(totals, name))).toList) ~
      ("unnamed" -> unnamedImages) ~
      ("per_class" -> classes.map(Evaluation.json)) ~
      ("confusion_matrix" -> cells.map(Evaluation.json))

  /** Writes `per_class/` and `confusion_matrix/`, each as one CSV file with a header. */
  def writeTables(folder: String): Unit =
    Seq(
      "per_class" -> perClass.drop("key"),
      "confusion_matrix" -> matrix.drop("actual_key", "predicted_key"),
    ).foreach { case (name, table) =>
      table.coalesce(1).write.option("header", "true").option("escape", "\"").csv(s"$folder/$name")
    }
}

object Evaluation {

  private val TotalNames =
    Seq("rows", "errors", "unlabelled", "accuracy", "accuracy_predicted", "top5_accuracy")

  /**
   * Evaluates predictions.
   *
   * @param predictions rows with `path, label, label_id, prediction, error`
   * @throws SightlineException NO_LABELS if no row has a true label
   */
  def of(predictions: DataFrame): Evaluation = {
    val spark = predictions.sparkSession
    createViews(predictions)
    val totals = spark.sql(EvaluationMetrics.Totals).head()
    if (totals.getAs[Long]("rows") == totals.getAs[Long]("unlabelled")) {
      throw SightlineException(
        "NO_LABELS",
        "detail" -> ("no row has a true label. Run predict with --labels folder, or on a table with " +
          "a column of labels (--label-column)."),
      )
    }
    Evaluation(
      totals,
      spark.sql(EvaluationMetrics.Unnamed).collect().toSeq,
      spark.table(EvaluationMetrics.PerClassView),
      spark.table(EvaluationMetrics.MatrixView),
    )
  }

  /** Creates the views `predictions`, `judged`, `per_class` and `confusion_matrix`; runs no query. */
  def createViews(predictions: DataFrame): Unit = {
    withLabels(predictions).createOrReplaceTempView(EvaluationMetrics.Predictions)
    Seq(
      EvaluationMetrics.JudgedView -> EvaluationMetrics.Judged,
      EvaluationMetrics.PerClassView -> EvaluationMetrics.PerClass,
      EvaluationMetrics.MatrixView -> EvaluationMetrics.Matrix,
    ).foreach { case (view, text) =>
      predictions.sparkSession.sql(text).createOrReplaceTempView(view)
    }
  }

  /** Adds a column `label` or `label_id` of nulls if the table lacks it. */
  private def withLabels(predictions: DataFrame): DataFrame =
    Seq(Columns.Label -> "string", Columns.LabelId -> "int").foldLeft(predictions) {
      case (rows, (name, _)) if rows.columns.contains(name) => rows
      case (rows, (name, kind)) =>
        rows.withColumn(name, lit(None.orNull).cast(kind))
    }

  private def json(row: Row): JObject =
    JObject(
      row.schema.fieldNames
        .filterNot(name => name == "key" || name.endsWith("_key"))
        .map(name => JField(name, json(row, name)))
        .toList
    )

  private def json(row: Row, name: String): JValue = row.getAs[Any](name) match {
    case n: Long => JInt(n)
    case n: Int => JInt(n)
    case x: Double => JDouble(x)
    case text: String => JString(text)
    case _ => JNull
  }
}
