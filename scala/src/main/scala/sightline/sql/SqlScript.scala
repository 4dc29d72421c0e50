package sightline.sql

import org.apache.spark.sql.catalyst.util.StringUtils

import sightline.SightlineException

/** Statements parted by `;`, as spark-sql parts them. */
object SqlScript {

  private val Title = """(?m)^\s*--\s*title:\s*(.+?)\s*(?:\((.*)\))?\s*$""".r

  /** @throws SightlineException NO_SQL when there is no statement */
  def parse(text: String): Seq[SqlStatement] = {
    val statements = StringUtils
      .splitSemiColonWithIndex(text, enableSqlScripting = true)
      .map(_.trim)
      .filter(_.linesIterator.exists(line => line.trim.nonEmpty && !line.trim.startsWith("--")))
      .map { sql =>
        val title = Title.findFirstMatchIn(sql)
        SqlStatement(title.map(_.group(1)), title.flatMap(m => Option(m.group(2))), sql)
      }
    if (statements.isEmpty) {
      throw SightlineException("NO_SQL")
    }
    statements
  }
}
