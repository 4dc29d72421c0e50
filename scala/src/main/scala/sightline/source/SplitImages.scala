package sightline.source

import org.apache.spark.sql.functions.{col, count, lit, nullif, substring_index}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/**
 * The images of one split of a collection, with `filename` and `split` among their columns.
 *
 * @param split `train`, `test`, …; None for images of unknown or several splits
 */
final case class SplitImages(split: Option[String], input: ImageInput)

object SplitImages {

  /**
   * Lists the images of each split, the training split first; opens none of them.
   *
   * The split is the value of a table's column `split` if it has one. Otherwise it depends on the
   * folders of the path; for listed files, from the listed folder on.
   *
   * @throws SightlineException as [[ImageInput.open]]; TOO_MANY_SPLITS
   */
  def open(spark: SparkSession, request: ImageRequest): Seq[SplitImages] = {
    val parts =
      if (TableFile.is(request.images)) ofTable(request, ImageInput.open(spark, request))
      else {
        ImageInput.files(spark, request, file => Split.of(file.pathFromRoot)).map {
          case (split, input) =>
            val column = lit(split.orNull).cast("string")
            SplitImages(split, input.copy(rows = described(input.rows, column), sample = None))
        }
      }
    parts.sortBy(part => (part.split.isEmpty, part.split.mkString))(
      Ordering.Tuple2(Ordering.Boolean, Split.order)
    )
  }

  /** Counts the rows of each split, which opens no image. */
  private def ofTable(request: ImageRequest, input: ImageInput): Seq[SplitImages] = {
    val own = input.rows.columns.find(_.equalsIgnoreCase(Columns.Split))
    val rows = described(
      input.rows,
      own.fold(Split.ofPath(col(Columns.Path)))(name =>
        Split.usual(nullif(Columns.quoted(name).cast("string"), lit("")))
      ),
    )
    val split = col(Columns.Split)
    // With a limit, a second scan of the table may return other rows than the first.
    if (request.limit.isDefined) Seq(SplitImages(None, input.copy(rows = rows, sample = None)))
    else {
      val counts = rows.groupBy(split).agg(count(lit(1))).limit(Split.Most + 1).collect().toSeq
      if (counts.size > Split.Most) throw tooMany(request.images)
      counts.map { row =>
        val name = Option(row.getString(0))
        val same = name.fold(split.isNull)(split === _)
        SplitImages(
          name,
          input.copy(rows = rows.where(same), count = row.getLong(1), sample = None),
        )
      }
    }
  }

  private def tooMany(table: String): SightlineException =
    SightlineException(
      "TOO_MANY_SPLITS",
      "table" -> table,
      "most" -> Split.Most,
      "what" -> s"values in its column '${Columns.Split}'",
    )

  private def described(rows: DataFrame, split: Column): DataFrame = {
    val (worker, own) = rows.columns.toSeq
      .filterNot(_.equalsIgnoreCase(Columns.Split))
      .partition(Columns.OfWorker)
    val names = OwnColumns.names(own, Set(Columns.Filename))
    rows.select(
      own.zip(names).map { case (from, to) => Columns.quoted(from).as(to) } ++ Seq(
        substring_index(col(Columns.Path), "/", -1).as(Columns.Filename),
        split.as(Columns.Split),
      ) ++ worker.map(Columns.quoted): _*
    )
  }
}
