package sightline.source

import org.apache.spark.sql.functions.{col, count, lit, substring_index}
import org.apache.spark.sql.{DataFrame, SparkSession}

/**
 * The images of one split of a collection, with `filename` and `split` among their columns.
 *
 * @param split `train`, `test`, …; None for images whose split is not known
 */
final case class SplitImages(split: Option[String], input: ImageInput)

object SplitImages {

  /**
   * Finds the images, split by split, the training part first; opens none of them.
   *
   * A table's own column `split` tells, where it has one; else the folders of the paths do.
   *
   * @throws SightlineException as [[ImageInput.open]]
   */
  def open(spark: SparkSession, request: ImageRequest): Seq[SplitImages] = {
    val parts =
      if (ImageTableFile.is(request.images)) ofTable(ImageInput.open(spark, request))
      else {
        ImageInput.files(spark, request, file => Split.of(file.path)).map { case (split, input) =>
          SplitImages(split, ImageInput(described(input.rows), input.count))
        }
      }
    parts.sortBy(_.split)(Ordering.Option(Split.order))
  }

  /** Counts the rows of each split, which opens no image, and gives each its rows. */
  private def ofTable(input: ImageInput): Seq[SplitImages] = {
    val rows = described(input.rows)
    val split = col(Columns.Split)
    rows.groupBy(split).agg(count(lit(1))).collect().toSeq.map { row =>
      val name = Option(row.getString(0))
      val same = name.fold(split.isNull)(split === _)
      SplitImages(name, ImageInput(rows.where(same), row.getLong(1)))
    }
  }

  private def described(rows: DataFrame): DataFrame = {
    val own = rows.columns.find(_.equalsIgnoreCase(Columns.Split))
    val split = own.fold(Split.ofPath(col(Columns.Path)))(name => col(name).cast("string"))
    val replaced = Set(Columns.Filename, Columns.Split)
    val (worker, kept) = rows.columns.toSeq
      .filterNot(name => replaced.exists(_.equalsIgnoreCase(name)))
      .partition(Columns.OfWorker)
    rows.select(
      kept.map(Columns.quoted) ++ Seq(
        substring_index(col(Columns.Path), "/", -1).as(Columns.Filename),
        split.as(Columns.Split),
      ) ++ worker.map(Columns.quoted): _*
    )
  }
}
