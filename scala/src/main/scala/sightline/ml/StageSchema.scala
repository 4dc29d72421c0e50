package sightline.ml

import java.util.Locale

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types.{StructField, StructType}

import sightline.SightlineException

/**
 * The columns of a stage's input. Their names follow the session's rule for the case of letters.
 *
 * @param isCaseSensitive `spark.sql.caseSensitive`
 */
final private[ml] case class StageSchema(table: StructType, isCaseSensitive: Boolean) {

  /** The columns that Spark finds by a name. */
  private def named(name: String): Seq[StructField] = table.filter { field =>
    if (isCaseSensitive) field.name == name else field.name.equalsIgnoreCase(name)
  }

  /**
   * The column of a name; None if the table has none.
   *
   * @throws SightlineException AMBIGUOUS_COLUMN
   */
  def find(stage: String, name: String): Option[StructField] = {
    val found = named(name)
    if (found.size > 1) {
      throw SightlineException(
        "AMBIGUOUS_COLUMN",
        "subject" -> stage,
        "column" -> name,
        "found" -> found.map(_.name),
        "hint" -> "Rename or drop all but one of them.",
      )
    }
    found.headOption
  }

  /** @throws SightlineException UNKNOWN_COLUMN or AMBIGUOUS_COLUMN */
  def column(stage: String, name: String, hint: String = ""): StructField =
    find(stage, name).getOrElse(
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> s"the table of $stage",
        "column" -> name,
        "known" -> table.fieldNames.toSeq,
        "hint" -> (if (hint.isEmpty) "Set inputCol to the column to read." else hint),
      )
    )

  /**
   * @param param the Param that names the column
   * @throws SightlineException OUTPUT_COLUMN_EXISTS
   */
  def requireFree(stage: String, param: String, name: String): Unit =
    if (named(name).nonEmpty) {
      throw SightlineException(
        "OUTPUT_COLUMN_EXISTS",
        "stage" -> stage,
        "column" -> name,
        "param" -> param,
      )
    }

  /**
   * Requires that the columns that a stage adds have different names.
   *
   * @param added the columns' names, each after the Param that names it
   * @throws SightlineException WRONG_PARAM
   */
  def requireDistinct(stage: String, added: Seq[(String, String)]): Unit = {
    def key(name: String): String = if (isCaseSensitive) name else name.toLowerCase(Locale.ROOT)
    val second = added.diff(added.distinctBy { case (_, name) => key(name) }).headOption
    second.foreach { case (param, name) =>
      throw SightlineException(
        "WRONG_PARAM",
        "param" -> param,
        "stage" -> stage,
        "reason" -> s"names a second output column '$name'. Set it to another name.",
      )
    }
  }
}

private[ml] object StageSchema {
  def apply(spark: SparkSession, table: StructType): StageSchema =
    StageSchema(table, spark.sessionState.conf.caseSensitiveAnalysis)
}
