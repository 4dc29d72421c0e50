package sightline.ml

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.{
  coalesce,
  col,
  count,
  element_at,
  lit,
  nullif,
  sha2,
  sum,
  when,
  xxhash64,
}
import org.apache.spark.sql.types.{BinaryType, DecimalType, StringType, StructField}

import sightline.SightlineException
import sightline.source.{Columns, ImageInput}

/**
 * The labelled images of a DataFrame.
 *
 * @param labels the labels in the order of the class ids; None: the labels of the images, sorted
 * @param hash depends on names, labels and groups of the rows, and not on their order
 */
final private[ml] case class LabelledImages(
    input: ImageInput,
    labels: Option[Seq[String]],
    hash: String,
)

private[ml] object LabelledImages {

  /** The column of groups; no column of a user has this name. */
  val Group = "__group"

  /**
   * Reads the rows twice: their labels, if these are numbers, and their number and hash.
   *
   * @param path the column of the images' names; None: the hash of an image's bytes is its name
   * @param group the column whose equal values are in one part
   * @throws SightlineException NO_LABELS, NO_IMAGES; WRONG_PARAM as [[LabelIndex.of]]
   */
  def of(
      stage: String,
      frame: DataFrame,
      content: StructField,
      label: StructField,
      path: Option[StructField],
      group: Option[StructField],
  ): LabelledImages = {
    val bytes = Columns.quoted(content.name)
    val labels = Option.when(label.dataType != StringType)(LabelIndex.of(stage, frame, label))
    val text = labels.fold(Columns.quoted(label.name)) { names =>
      element_at(lit(names.toArray), (LabelIndex.column(label, names) + lit(1)).cast("int"))
    }
    val hash = sha2(bytes, 256)
    val name =
      path.fold(hash)(field => coalesce(Columns.quoted(field.name).cast("string"), hash))
    val error = Columns.errorOf(frame.schema).map(when(bytes.isNull, _))
    val own = group.map(field => Columns.quoted(field.name).cast("string").as(Group)).toSeq
    val rows = frame.select(
      own ++ Seq(
        coalesce(name, lit("")).as(Columns.Path),
        nullif(text, lit("")).as(Columns.Label),
        lit(None.orNull).cast("int").as(Columns.LabelId),
        bytes.cast(BinaryType).as(Columns.WorkerContent),
        error.getOrElse(lit(None.orNull)).cast(Columns.ErrorType).as(Columns.WorkerError),
      ): _*
    )
    val identity = xxhash64(
      (Seq(Columns.Path, Columns.Label) ++ group.map(_ => Group)).map(col): _*
    )
    val found = rows
      .agg(
        count(lit(1)),
        count(col(Columns.Label)),
        sum(identity.cast(DecimalType(38, 0))),
      )
      .head()
    val (all, labelled) = (found.getLong(0), found.getLong(1))
    if (all == 0) {
      throw SightlineException(
        "NO_IMAGES",
        "location" -> s"the table of $stage",
        "hint" -> "Give a table with rows.",
      )
    }
    if (labelled < all) {
      throw SightlineException(
        "NO_LABELS",
        "detail" -> (s"${all - labelled} of $all rows of the table of $stage have no label in the " +
          s"column '${label.name}'. Give them labels, or leave them out."),
      )
    }
    LabelledImages(
      ImageInput(rows, all, isPacked = true),
      labels,
      s"$all ${found.getDecimal(2).toPlainString}",
    )
  }
}
