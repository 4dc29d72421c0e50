package sightline.source

import java.util.Locale

/**
 * The names under which a table's own columns stand in a result: their own, unless the result has a
 * column of that name; `sightline.source.own_columns` is its twin.
 */
object OwnColumns {

  private val Prefix = "input_"

  /** What `predict`, `features`, `pca` and `pack-images` call columns of their own, in lower case. */
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
   * The names in the result: `input_NAME` for a reserved one, with as many `input_` as make it
   * unique.
   *
   * @param own names of a table's columns, in any case; Spark takes `Label` and `label` for one
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
