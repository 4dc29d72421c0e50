package sightline.report

import java.util.Locale

import org.apache.spark.sql.Row

/** An evaluation as text for a console: each SQL query and its result. */
object EvaluationPage {

  /** The maximum number of classes of a matrix; for more, the page lists the confused pairs. */
  private val MatrixClasses = 12
  private val ListedRows = 20

  def text(evaluation: Evaluation): String =
    Seq(
      section("Each image, judged (view judged)", EvaluationMetrics.Judged, ""),
      section("Totals", EvaluationMetrics.Totals, totals(evaluation.totals)),
      section("Classes", EvaluationMetrics.PerClass, classes(evaluation.classes)),
      section("Confusion matrix", EvaluationMetrics.Matrix, matrix(evaluation)),
    ).mkString("\n")

  private def section(title: String, sql: String, result: String): String =
    s"== $title ==\n$sql\n\n$result"

  private def totals(row: Row): String =
    TextTable(Seq("measure", "value")) {
      row.schema.fieldNames.toSeq.map { name =>
        Seq(name, cell(row.getAs[Any](name)))
      }
    }

  private def classes(rows: Seq[Row]): String = {
    val columns = rows.headOption.toSeq.flatMap(_.schema.fieldNames).filterNot(_ == "key")
    TextTable(columns) {
      rows.take(ListedRows).map(row => columns.map(name => cell(row.getAs[Any](name))))
    } + more(rows.size, "per_class/")
  }

  private def matrix(evaluation: Evaluation): String =
    if (evaluation.classes.size <= MatrixClasses) wholeMatrix(evaluation)
    else {
      val columns = Seq("actual", "actual_id", "predicted", "predicted_id", "count")
      val confused = evaluation.cells
        .filter(row => row.getAs[String]("actual_key") != row.getAs[String]("predicted_key"))
        .sortBy(-_.getAs[Long]("count"))
      s"${evaluation.classes.size} classes; the pairs most often confused:\n" +
        TextTable(columns) {
          confused.take(ListedRows).map(row => columns.map(name => cell(row.getAs[Any](name))))
        } + more(confused.size, "confusion_matrix/")
    }

  private def wholeMatrix(evaluation: Evaluation): String = {
    // By keys: a class may have another true label than the model's, and two classes may share a label.
    val counts = evaluation.cells.map { row =>
      (row.getAs[String]("actual_key"), Option(row.getAs[String]("predicted_key"))) ->
        cell(row.getAs[Any]("count"))
    }.toMap
    val classes = evaluation.classes.map(row => row.getAs[String]("key") -> name(evaluation, row))
    val errors = Option.when(counts.keys.exists { case (_, predicted) => predicted.isEmpty })(
      None -> "(error)"
    )
    val columns = classes.map { case (key, title) => Option(key) -> title } ++ errors
    TextTable("actual \\ predicted" +: columns.map { case (_, title) => title }) {
      classes.map { case (actual, title) =>
        title +: columns.map { case (predicted, _) => counts.getOrElse((actual, predicted), "0") }
      }
    }
  }

  /** A class's label, with its id if another class has the same label. */
  private def name(evaluation: Evaluation, row: Row): String = {
    val label = row.getAs[String]("label")
    val shared = evaluation.classes.count(_.getAs[String]("label") == label) > 1
    if (shared) s"$label (${cell(row.getAs[Any]("class_id"))})" else label
  }

  private def more(rows: Int, file: String): String =
    if (rows > ListedRows) s"(${rows - ListedRows} more in $file)\n" else ""

  private def cell(value: Any): String = value match {
    case x: Double => String.format(Locale.ROOT, "%.4f", x)
    case other => Option(other).fold("")(_.toString)
  }
}
