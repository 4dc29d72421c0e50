package sightline.sql

import java.util.Locale

import org.apache.spark.sql.{Row, SparkSession}

import sightline.report.TextTable

/**
 * One statement of a script.
 *
 * @param title the name for the statement's printed time, from a comment `-- title: X (note)` above
 *   it
 * @param note the text in parentheses after the title
 */
final case class SqlStatement(title: Option[String], note: Option[String], text: String) {

  /** The names of the variables, `${name}`, outside of comments. */
  def variables: Seq[String] =
    SqlStatement.Variable
      .findAllMatchIn(StatementTokens.withoutComments(text))
      .map(_.group(1))
      .toSeq
      .distinct

  /** The name of the setting that it sets, if it is `SET name = value`. */
  def sets: Option[String] =
    SqlStatement.Set.findFirstMatchIn(StatementTokens.withoutComments(text)).map(_.group(1))

  /**
   * Runs the statement and prints its text and its result.
   *
   * @param repeat how often a titled statement runs; every run fetches the whole result
   * @param maxRows how many rows are printed
   */
  def run(spark: SparkSession, repeat: Int, maxRows: Int): Unit = {
    println(s"\n$text")
    val runs = if (title.isDefined) repeat else 1
    val results = Seq.fill(runs) {
      val start = System.nanoTime
      val frame = spark.sql(text)
      // A timed statement fetches its whole result; another fetches only the rows that are printed.
      val rows = if (title.isDefined) frame.collect() else frame.take(maxRows + 1)
      (frame.columns.toSeq, rows, (System.nanoTime - start) / 1e9)
    }
    results.headOption.foreach { case (columns, rows, _) => printRows(columns, rows, maxRows) }
    title.foreach { name =>
      results.zipWithIndex.foreach { case ((_, _, seconds), index) =>
        val which = note.toSeq :+ (if (index == 0) "first run" else "warm run")
        println(
          String.format(
            Locale.ROOT,
            "%s Query Time: %.3f seconds (%s)",
            name,
            seconds,
            which.mkString(", "),
          )
        )
      }
    }
  }

  private def printRows(columns: Seq[String], rows: Array[Row], maxRows: Int): Unit =
    if (columns.nonEmpty) {
      print(TextTable(columns)(rows.toSeq.take(maxRows).map(_.toSeq.map(SqlStatement.cell))))
      if (rows.length > maxRows) println(s"(only the first $maxRows rows are shown)")
    }
}

object SqlStatement {
  private val MaxWidth = 80

  // The same syntax as in Spark.
  private val Variable = """\$\{(\S+?)\}""".r
  private val Set = """(?is)\A\s*SET\s+([^\s=]+)\s*=""".r

  private def cell(value: Any): String = {
    val text = value match {
      case row: Row => row.toSeq.map(cell).mkString("{", ", ", "}")
      case map: scala.collection.Map[_, _] =>
        map.map { case (k, v) => s"$k: ${cell(v)}" }.mkString("{", ", ", "}")
      case items: scala.collection.Seq[_] => items.map(cell).mkString("[", ", ", "]")
      case bytes: Array[Byte] => s"(${bytes.length} bytes)"
      case other => Option(other).fold("NULL")(_.toString)
    }
    val line = text.replace('\n', ' ')
    if (line.length > MaxWidth) line.take(MaxWidth - 1) + "…" else line
  }
}
