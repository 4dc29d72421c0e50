package sightline.pca

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.spark.sql.SaveMode.Append
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.functions.{col, count, lit, min, pmod, udf, when, xxhash64}
import org.apache.spark.sql.sightline.{PackedNumbers, PartitionPath}
import org.apache.spark.sql.types.DoubleType
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.SightlineException
import sightline.source.Columns

/**
 * The output of a run: `components/` is Parquet, partitioned by split and label; `csv/` has a file for
 * each split; `sample/` has the rows that the report draws.
 *
 * @param folder the output's folder, at any Hadoop URI
 */
final class ComponentsOutput(spark: SparkSession, folder: String) {

  private val components = s"$folder/components"

  /** Appends rows of `path, filename, label, split, components`. */
  def write(rows: DataFrame): Unit =
    rows
      .select(
        Seq(Columns.Path, Columns.Filename, Columns.Components, Columns.Split, Columns.Label)
          .map(col): _*
      )
      // Collects each label's rows in files of a reasonable size.
      .hint("rebalance", col(Columns.Split), col(Columns.Label))
      .write
      .mode(Append)
      .partitionBy(Columns.Split, Columns.Label)
      // A dictionary of numbers that hardly repeat is built and then discarded.
      .option(s"parquet.enable.dictionary#${Columns.Components}.list.element", "false")
      .parquet(components)

  /** The rows that were written. */
  lazy val written: DataFrame = ComponentsOutput.read(spark, components)

  /**
   * The number of rows that were written, by split.
   *
   * @param name the name of the table of features, for errors
   * @throws SightlineException NON_FINITE_FEATURES if a component is NaN or infinite
   */
  def counts(name: String): Map[String, Long] = {
    val isWrong = !PackedNumbers.areFinite(col(Columns.Components))
    val found = written
      .groupBy(col(Columns.Split))
      .agg(count(lit(1)), min(when(isWrong, col(Columns.Path))))
      .collect()
      .toSeq
    found.flatMap(row => Option(row.getString(2))).minOption.foreach { path =>
      throw SightlineException("NON_FINITE_FEATURES", "features" -> s"a feature of $path in $name")
    }
    found.map(row => row.getString(0) -> row.getLong(1)).toMap
  }

  /** Writes `csv/SPLIT.csv` of each split with `path,filename,label,f_0,…`, sorted by path. */
  def writeCsv(splits: Seq[String], k: Int): Unit = {
    val values = (0 until k).map(i => col(Columns.Components)(i).as(s"f_$i"))
    val names = Seq(Columns.Path, Columns.Filename, Columns.Label, Columns.Split)
    val draft = new Path(s"$folder/csv/draft")
    written
      // One task has all rows of a split, and writes one file.
      .repartition(splits.size, col(Columns.Split))
      .sortWithinPartitions(Columns.Split, Columns.Path)
      .select(names.map(col) ++ values: _*)
      .write
      .partitionBy(Columns.Split)
      .options(Map("header" -> "true", "escape" -> "\"", "emptyValue" -> ""))
      .option("ignoreLeadingWhiteSpace", "false")
      .option("ignoreTrailingWhiteSpace", "false")
      .csv(draft.toString)
    val fs = draft.getFileSystem(spark.sessionState.newHadoopConf())
    splits.map(PartitionPath.escaped).foreach { split =>
      val file = new Path(s"$folder/csv/$split.csv")
      ComponentsOutput.parts(fs, new Path(draft, s"${Columns.Split}=$split")).foreach { part =>
        if (!fs.rename(part, file)) {
          throw SightlineException(
            "OUTPUT_NOT_WRITTEN",
            "path" -> file,
            "reason" -> s"$part could not be renamed to it",
          )
        }
      }
    }
    fs.delete(draft, true): Unit
  }

  /**
   * Writes a sample of about `points` rows that has rows of every label. The sample depends only on
   * the paths, so it is the same in every run.
   *
   * @param labels the number of rows of each label
   * @return the number of rows in the sample
   */
  def writeSample(labels: Map[Option[String], Long], points: Int): Long = {
    val rows = labels.values.sum
    val least = math.min(ComponentsOutput.LeastOfLabel, points / labels.size).toLong
    // The points that are left for an even distribution after each label has its minimum.
    val rest = points - labels.values.map(math.min(_, least)).sum
    val shares = labels.map { case (label, n) =>
      val even = if (rows <= points) 1 else rest.toDouble / rows
      label.orNull -> math.min(1, math.max(even, least.toDouble / n))
    }
    val shareOf: UDF1[String, Double] = label => shares(label)
    val ofLabel = udf(shareOf, DoubleType)
    val steps = 1L << 30
    val place = pmod(xxhash64(col(Columns.Path)), lit(steps))
    written
      .where(place < ofLabel(col(Columns.Label)) * steps)
      .select(
        Seq(Columns.Path, Columns.Filename, Columns.Label, Columns.Split, Columns.Components)
          .map(col): _*
      )
      .repartition(1)
      .sortWithinPartitions(Columns.Path)
      .write
      .parquet(s"$folder/sample")
    ComponentsOutput.read(spark, s"$folder/sample").count()
  }
}

object ComponentsOutput {

  private val LeastOfLabel = 20

  // Without a schema Spark would read labels of digits as numbers.
  private val Schema =
    "path string, filename string, components array<float>, split string, label string"

  private def read(spark: SparkSession, folder: String): DataFrame =
    spark.read.schema(Schema).parquet(folder)

  private def parts(fs: FileSystem, folder: Path): Seq[Path] =
    fs.listStatus(folder).toSeq.map(_.getPath).filter(_.getName.startsWith("part-"))
}
