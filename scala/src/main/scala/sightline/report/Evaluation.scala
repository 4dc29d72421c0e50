package sightline.report

import org.apache.spark.sql.{DataFrame, Row}
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.SightlineException
import sightline.source.Columns

/**
 * Predictions held against true labels.
 *
 * A row's prediction is right when the class ids agree, or the labels where an id is not known;
 * an error row is wrong.
 *
 * @param totals one row: rows, errors, unlabelled and the three accuracies, each 0 to 1
 * @param perClass a row for each class: label, class_id, support, predicted, precision, recall, f1
 * @param unnamed true labels that no prediction names, with their images: the ten commonest
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

  /** Images whose true label no prediction names. */
  def unnamedImages: Long = unnamed.headOption.fold(0L)(_.getAs[Long]("all_images"))

  /** What makes the numbers say little, if anything does. */
  def warning: Option[String] = {
    val labelled = totals.getAs[Long]("rows") - totals.getAs[Long]("unlabelled")
    Option.when(unnamedImages > 0) {
      val commonest = unnamed.map(row => row.getAs[String]("actual") -> row.getAs[Long]("images"))
      f"$unnamedImages%,d of $labelled%,d images have a true label that no prediction names: " +
        s"${TrueLabels.listed(commonest)}. If the model calls these classes otherwise, they count as " +
        "wrong."
    }
  }

  /** Rows of `perClass`, in the order of their ids and labels. */
  lazy val classes: Seq[Row] = perClass.collect().toSeq

  /** Rows of `matrix`, in the order of the actual classes, the most frequent first. */
  lazy val cells: Seq[Row] = matrix.collect().toSeq

  /** What `metrics.json` says. */
  def json: JObject =
    JObject(Evaluation.TotalNames.map(name => JField(name, Evaluation.json(totals, name))).toList) ~
      ("unnamed" -> unnamedImages) ~
      ("per_class" -> classes.map(Evaluation.json)) ~
      ("confusion_matrix" -> cells.map(Evaluation.json))

  /** Writes `per_class/` and `confusion_matrix/` as CSV with a header, a file each. */
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
   * @param predictions with `path, label, label_id, prediction, error`
   * @throws SightlineException NO_LABELS when no row says what is true
   */
  def of(predictions: DataFrame): Evaluation = {
    val spark = predictions.sparkSession
    createViews(predictions)
    val totals = spark.sql(EvaluationSql.Totals).head()
    if (totals.getAs[Long]("rows") == totals.getAs[Long]("unlabelled")) {
      throw SightlineException("NO_LABELS")
    }
    Evaluation(
      totals,
      spark.sql(EvaluationSql.Unnamed).collect().toSeq,
      spark.table(EvaluationSql.PerClassView),
      spark.table(EvaluationSql.MatrixView),
    )
  }

  /** Makes the views `predictions`, `judged`, `per_class` and `confusion_matrix`; runs nothing. */
  def createViews(predictions: DataFrame): Unit = {
    withLabels(predictions).createOrReplaceTempView(EvaluationSql.Predictions)
    Seq(
      EvaluationSql.JudgedView -> EvaluationSql.Judged,
      EvaluationSql.PerClassView -> EvaluationSql.PerClass,
      EvaluationSql.MatrixView -> EvaluationSql.Matrix,
    ).foreach { case (view, text) =>
      predictions.sparkSession.sql(text).createOrReplaceTempView(view)
    }
  }

  /** Tables of others may lack one of the two columns of truth. */
  private def withLabels(predictions: DataFrame): DataFrame =
    Seq(Columns.Label -> "string", Columns.LabelId -> "int").foldLeft(predictions) {
      case (rows, (name, _)) if rows.columns.contains(name) => rows
      case (rows, (name, kind)) =>
        rows.withColumn(name, org.apache.spark.sql.functions.lit(None.orNull).cast(kind))
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
