package sightline.pca

import org.apache.spark.SparkException
import org.apache.spark.sql.functions.{coalesce, col, lit, nullif, substring_index}
import org.apache.spark.sql.sightline.PackedNumbers
import org.apache.spark.sql.types.{ArrayType, DoubleType, FloatType}
import org.apache.spark.sql.{AnalysisException, Column, DataFrame, SparkSession}

import sightline.source.{Columns, ExistingPath, Split}
import sightline.{ErrorTranslation, SightlineException}

/**
 * A table of features, such as the output of `features`.
 *
 * @param rows `path, filename, label, split, features, error`; features are null if there is an error,
 *   label is null if it is not known, split is never null
 * @param trainSplit the name of the training split
 */
final case class FeatureTable(rows: DataFrame, trainSplit: String) {

  /**
   * The rows with features of one split; None: of all splits. The features are packed, see
   * [[org.apache.spark.sql.sightline.PackedNumbers]].
   */
  def described(split: Option[String]): DataFrame = {
    val found = split
      .fold(rows)(name => rows.where(col(Columns.Split) === name))
      .where(col(Columns.Features).isNotNull)
    FeatureTable.packed(found)
  }

  /** At most `most` rows with an error: `path, code, stage, message`. */
  def failed(most: Int): Seq[Map[String, String]] = {
    val fields = Columns.ErrorType.fieldNames.toSeq
    rows
      .where(col(Columns.Features).isNull && col(Columns.Error).isNotNull)
      .select(col(Columns.Path) +: fields.map(name => col(Columns.Error).getField(name)): _*)
      .limit(most)
      .collect()
      .toSeq
      .map(row => (Columns.Path +: fields).zip(row.toSeq.map(String.valueOf)).toMap)
  }
}

object FeatureTable {

  /** The split of rows whose path contains no split. */
  val Unknown = "none"

  /** The split of all rows of a table that is not split. */
  val Whole = "all"

  /** The rows with the numbers of array<float> or array<double> `features` packed. */
  private[pca] def packed(rows: DataFrame): DataFrame =
    rows.schema(Columns.Features).dataType match {
      case ArrayType(number, _) =>
        rows.withColumn(Columns.Features, PackedNumbers.pack(col(Columns.Features), number))
      case other => throw new IllegalArgumentException(other.sql)
    }

  /**
   * Opens a table.
   *
   * @param folder a Parquet table with `path` and `features`; label, filename, split and error are
   *   optional
   * @param splitColumn the column of splits; None: `split` if it exists, else the path
   * @param whole whether all rows are training rows
   * @throws SightlineException PATH_NOT_FOUND, NOT_FEATURES or UNKNOWN_COLUMN
   */
  def open(
      spark: SparkSession,
      folder: String,
      splitColumn: Option[String],
      whole: Boolean,
  ): FeatureTable = {
    val table = read(spark, folder)
    val names = table.columns.toSet
    Seq(Columns.Path, Columns.Features).find(name => !names(name)).foreach { missing =>
      throw notFeatures(folder, s"it has no column $missing")
    }
    splitColumn.filterNot(names).foreach { name =>
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> folder,
        "column" -> name,
        "known" -> table.columns.toSeq,
        "hint" -> "Set it by --split-column.",
      )
    }
    table.schema(Columns.Features).dataType match {
      case ArrayType(FloatType | DoubleType, _) => ()
      case other =>
        throw notFeatures(folder, s"its column features is ${other.sql}, not ARRAY<FLOAT>")
    }
    val path = col(Columns.Path).cast("string")
    def text(name: String): Column =
      // An empty text is null, because Spark cannot write a partition of an empty text.
      if (names(name)) nullif(Columns.quoted(name).cast("string"), lit(""))
      else lit(None.orNull).cast("string")
    val split =
      if (whole) lit(Whole)
      else {
        splitColumn
          .orElse(Some(Columns.Split).filter(names))
          .fold(Split.ofPath(path))(name => Split.usual(text(name)))
      }
    FeatureTable(
      table.select(
        path.as(Columns.Path),
        coalesce(text(Columns.Filename), substring_index(path, "/", -1)).as(Columns.Filename),
        text(Columns.Label).as(Columns.Label),
        coalesce(split, lit(Unknown)).as(Columns.Split),
        col(Columns.Features),
        Columns
          .errorOf(table.schema)
          .getOrElse(lit(None.orNull).cast(Columns.ErrorType))
          .as(Columns.Error),
      ),
      if (whole) Whole else Split.Train,
    )
  }

  private def read(spark: SparkSession, folder: String): DataFrame = {
    ExistingPath.require(spark, folder, "Give the --output of a `features` run.")
    try spark.read.parquet(folder)
    catch {
      case error @ (_: AnalysisException | _: SparkException) =>
        // The innermost cause has the reason; Spark wraps it in errors of its own.
        val cause = ErrorTranslation.causes(error).last
        throw notFeatures(folder, ErrorTranslation.firstLine(cause).take(200))
    }
  }

  private def notFeatures(folder: String, why: String): SightlineException =
    SightlineException("NOT_FEATURES", "table" -> folder, "reason" -> why)
}
