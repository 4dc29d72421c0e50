package sightline.ml

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types.{StructField, StructType}

import sightline.SightlineException

/**
 * The columns of a stage's input. Their names follow the session's rule for the case of letters.
 *
 * @param isCaseSensitive `spark.sql.caseSensitive`
 */
final private[ml] case class StageSchema(table: StructType, isCaseSensitive: Boolean) {

  def find(name: String): Option[StructField] =
    table
      .find(_.name == name)
      .orElse(table.find(field => !isCaseSensitive && field.name.equalsIgnoreCase(name)))

  /** @throws SightlineException UNKNOWN_COLUMN */
  def column(stage: String, name: String, hint: String = ""): StructField =
    find(name).getOrElse(
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
    if (find(name).isDefined) {
      throw SightlineException(
        "OUTPUT_COLUMN_EXISTS",
        "stage" -> stage,
        "column" -> name,
        "param" -> param,
      )
    }
}

private[ml] object StageSchema {
  def apply(spark: SparkSession, table: StructType): StageSchema =
    StageSchema(table, spark.sessionState.conf.caseSensitiveAnalysis)
}
