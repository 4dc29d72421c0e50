package sightline.source

import java.util.Locale

import org.apache.spark.sql.Column
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.expressions.UserDefinedFunction
import org.apache.spark.sql.functions.udf
import org.apache.spark.sql.types.StringType

/** The splits of a collection, such as train and test; `sightline.source.split` has the same rules. */
object Split {

  val Train = "train"
  val Test = "test"

  /** The maximum number of splits: each one is a job and a folder. */
  val Most = 100

  private val Known = Map(
    Train -> Train,
    "training" -> Train,
    Test -> Test,
    "testing" -> Test,
    "val" -> "validation",
    "valid" -> "validation",
    "validation" -> "validation",
  )

  /**
   * The split that a folder of the path names, in any case. The folder nearest to the file counts:
   * `test/fruits/Training/Apple/1.jpg` is in the split `train`.
   *
   * @return `train`, `test` or `validation`; None if no folder names a split
   */
  def of(path: String): Option[String] =
    path.split("/", -1).dropRight(1).reverseIterator.flatMap(named).nextOption()

  /** The training split first, then by name. */
  val order: Ordering[String] = Ordering.by(split => (split != Train, split))

  /** The standard name of a split: `train` for `Training`; None for an unknown name. */
  def named(name: String): Option[String] = Known.get(name.toLowerCase(Locale.ROOT))

  /** [[of]] as a function of columns; null if no folder names a split. */
  def ofPath(path: Column): Column = byPath(path)

  /** [[named]] as a function of columns; unknown names stay unchanged. */
  def usual(split: Column): Column = byName(split)

  // Spark's `udf` for Scala functions needs scala-reflect, which pyspark's jars do not include.
  private lazy val byPath = text(path => of(path))
  private lazy val byName = text(name => named(name).orElse(Some(name)))

  private def text(function: String => Option[String]): UserDefinedFunction = {
    val of: UDF1[String, String] = value => Option(value).flatMap(function).orNull
    udf(of, StringType)
  }
}
