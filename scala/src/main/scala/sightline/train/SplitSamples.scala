package sightline.train

import org.apache.spark.sql.expressions.Window
import org.apache.spark.sql.functions.{
  coalesce,
  col,
  concat,
  count,
  floor,
  lit,
  min,
  row_number,
  sha2,
  struct,
  when,
}
import org.apache.spark.sql.{Column, DataFrame}

import sightline.SightlineException
import sightline.source.Columns

/**
 * Divides labelled images into the parts `train`, `validation` and `test`. `split_samples` in Python
 * draws alike: the same names, labels and seed give the same parts.
 */
object SplitSamples {

  val Train = "train"
  val Validation = "validation"
  val Test = "test"
  val Parts: Seq[String] = Seq(Train, Validation, Test)

  /** The column of the part. */
  val Part = "part"

  /** The column of what is drawn: the image's group, or its path. */
  val Key = "key"

  /** The column of the part that the image's folder names; null for none. */
  val Known = "known"

  private val Stratum = "stratum"
  private val At = "at"
  private val Size = "size"

  /**
   * The rows with a column [[Part]] instead of [[Known]].
   *
   * Each label is divided by the shares, as exactly as whole images allow. Rows with the same key are
   * in one part; the label of a key is that of its first image by path. The order of the draw is the
   * hash of seed and key, which does not depend on the order of the rows.
   *
   * @param rows with `path`, `label`, [[Key]] and [[Known]], all strings
   * @throws SightlineException NO_SPLIT if the shares are by folders and no row is known as `train`
   */
  def apply(rows: DataFrame, shares: SplitShares, seed: Long): DataFrame =
    if (!shares.byFolders) drawn(rows.drop(Known), shares, seed)
    else {
      val known = rows.groupBy(Known).agg(count(lit(1))).collect().map(row => row.getString(0))
      if (!known.contains(Train)) throw noSplit
      val isPart = col(Known).isin(Parts: _*)
      val named = rows
        .withColumn(Part, when(isPart, col(Known)).otherwise(lit(Train)))
        .drop(Known)
      if (known.contains(Validation)) named
      else {
        val others = named.where(col(Part) =!= Train)
        drawn(named.where(col(Part) === Train).drop(Part), shares, seed).unionByName(others)
      }
    }

  private def drawn(rows: DataFrame, shares: SplitShares, seed: Long): DataFrame = {
    val first = min(struct(col(Columns.Path), col(Columns.Label)))
    val keys = rows
      .groupBy(Key)
      .agg(first.getField(Columns.Label).as(Stratum))
    val rank = sha2(concat(lit(s"$seed\n"), col(Key)).cast("binary"), 256)
    val ranked = keys.select(
      col(Key),
      (row_number().over(Window.partitionBy(Stratum).orderBy(rank)) - 1).as(At),
      count(lit(1)).over(Window.partitionBy(Stratum)).as(Size),
    )
    rows.join(ranked.select(col(Key), partAt(shares).as(Part)), Key)
  }

  /** The first members of a label are validation, the next are test. */
  private def partAt(shares: SplitShares): Column = {
    def members(share: Double): Column = floor(col(Size).cast("double") * share + 0.5)
    val validation = members(shares.validation)
    when(col(At) < validation, lit(Validation))
      .when(col(At) < validation + members(shares.test), lit(Test))
      .otherwise(lit(Train))
  }

  /** The key of a row: its group, or its name if it has none. */
  private[train] def key(group: Option[Column], name: Column): Column =
    group.fold(name) { column =>
      val text = column.cast("string")
      coalesce(when(text =!= "", text), name)
    }

  private def noSplit: SightlineException = SightlineException(
    "NO_SPLIT",
    "detail" -> ("--split folders needs images in a folder train, and no path has one. Give shares: " +
      "--split 0.8/0.1/0.1."),
  )
}
