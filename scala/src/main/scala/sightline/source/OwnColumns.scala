package sightline.source

import java.util.Locale

/**
 * The names of a table's own columns in a result: unchanged, unless the result has a column of that
 * name. `sightline.source.own_columns` in Python has the same rule.
 */
object OwnColumns {

  private val Prefix = "input_"

  /** The columns that `predict`, `features`, `pca` and `pack-images` add, in lower case. */
  val Reserved: Set[String] = Set(
    Columns.Path,
    Columns.Label,
    Columns.LabelId,
    Columns.Prediction,
    Columns.Features,
    Columns.Components,
    Columns.Error,
    Columns.Content,
  ) ++ Columns.Flat ++ Columns.OfWorker

  /**
   * The names in the result: `input_NAME` for a reserved one, with more `input_` until it is unique.
   *
   * @param own the names of the table's columns; as in Spark, case does not count
   * @param reserved in lower case
   */
  def names(own: Seq[String], reserved: Set[String] = Reserved): Seq[String] = {
    val taken = reserved ++ own.map(lower)
    own.map { name =>
      if (reserved(lower(name))) {
        Iterator.iterate(Prefix + name)(Prefix + _).dropWhile(one => taken(lower(one))).next()
      } else name
    }
  }

  private def lower(name: String): String = name.toLowerCase(Locale.ROOT)
}
