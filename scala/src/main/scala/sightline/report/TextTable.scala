package sightline.report

/** Formats a table for consoles, like Spark's `show`, with numbers aligned to the right. */
object TextTable {

  def apply(header: Seq[String])(rows: Seq[Seq[String]]): String = {
    val widths = (header +: rows).transpose.map(_.map(_.length).max)
    val rule = widths.map("-" * _).mkString("+", "+", "+")
    val lines = rows.map(line(_, widths))
    (Seq(rule, line(header, widths), rule) ++ lines :+ rule).mkString("", "\n", "\n")
  }

  private def line(cells: Seq[String], widths: Seq[Int]): String =
    cells
      .zip(widths)
      .map { case (cell, width) =>
        val space = " " * (width - cell.length)
        if (cell.matches("-?[0-9.,]+")) space + cell else cell + space
      }
      .mkString("|", "|", "|")
}
