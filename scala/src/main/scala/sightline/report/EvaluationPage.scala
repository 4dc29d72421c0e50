package sightline.report

import java.util.Locale

import org.apache.spark.sql.Row

/** An evaluation as people read it on a console: each SQL text, and what it gave. */
object EvaluationPage {

  /** A matrix of more classes would not fit a screen: then the pairs that were confused. */
  private val MatrixClasses = 12
  private val ListedRows = 20

  def text(evaluation: Evaluation): String =
    Seq(
      section("Each image, judged (view judged)", EvaluationSql.Judged, ""),
      section("Totals", EvaluationSql.Totals, totals(evaluation.totals)),
      section("Classes", EvaluationSql.PerClass, classes(evaluation.classes)),
      section("Confusion matrix", EvaluationSql.Matrix, matrix(evaluation)),
    ).mkString("\n")

  private def section(title: String, sql: String, result: String): String =
    s"== $title ==\n$sql\n\n$result"

  private def totals(row: Row): String =
    TextTable(Seq("measure", "value")) {
      row.schema.fieldNames.toSeq.map { name =>
        Seq(name, cell(row.getAs[Any](name)))
      }
    }

  private def classes(rows: Seq[Row]): String =
    TextTable(rows.headOption.toSeq.flatMap(_.schema.fieldNames)) {
      rows.take(ListedRows).map(_.toSeq.map(cell))
    } + more(rows.size, "per_class/")

  private def matrix(evaluation: Evaluation): String = {
    val names = evaluation.classes.map(row => cell(row.getAs[Any]("label")))
    val cells = evaluation.cells
    if (names.size <= MatrixClasses && names.distinct.size == names.size) {
      val counts = cells
        .map(row => (row.getAs[String]("actual"), row.getAs[String]("predicted")) -> row)
        .toMap
      val columns = names ++ Option.when(cells.exists(_.isNullAt(2)))(None.orNull)
      TextTable("actual \\ predicted" +: columns.map(name => Option(name).getOrElse("(error)"))) {
        names.map { actual =>
          actual +: columns.map { predicted =>
            counts.get((actual, predicted)).fold("0")(row => cell(row.getAs[Any]("count")))
          }
        }
      }
    } else {
      val confused =
        cells
          .filter(row => row.get(0) != row.get(2) || row.get(1) != row.get(3) && !row.isNullAt(1))
          .sortBy(-_.getAs[Long]("count"))
      s"${names.size} classes; the pairs most often confused:\n" +
        TextTable(Seq("actual", "id", "predicted", "id", "count")) {
          confused.take(ListedRows).map(_.toSeq.map(cell))
        } + more(confused.size, "confusion_matrix/")
    }
  }

  private def more(rows: Int, file: String): String =
    if (rows > ListedRows) s"(${rows - ListedRows} more in $file)\n" else ""

  private def cell(value: Any): String = value match {
    case x: Double => String.format(Locale.ROOT, "%.4f", x)
    case other => Option(other).fold("")(_.toString)
  }
}
