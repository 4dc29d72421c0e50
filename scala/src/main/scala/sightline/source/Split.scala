package sightline.source

import java.util.Locale

import org.apache.spark.sql.Column
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.expressions.UserDefinedFunction
import org.apache.spark.sql.functions.udf
import org.apache.spark.sql.types.StringType

/** Which part of a labelled collection an image belongs to; `sightline.source.split` is its twin. */
object Split {

  val Train = "train"
  val Test = "test"

  /** Each is a job and a folder of its own; a column of more is none of splits. */
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
   * By the folders of a path, whatever their case, of which the one nearest to the file counts: in
   * `test/fruits/Training/Apple/1.jpg` that is `Training`.
   *
   * @return `train`, `test`, `validation`, or None where no folder says so
   */
  def of(path: String): Option[String] =
    path.split("/", -1).dropRight(1).reverseIterator.flatMap(named).nextOption()

  /** The training part first, then by name. */
  val order: Ordering[String] = Ordering.by(split => (split != Train, split))

  /** The usual name of a split that somebody calls `name`: `Training` is `train`. */
  def named(name: String): Option[String] = Known.get(name.toLowerCase(Locale.ROOT))

  /** [[of]] as a column of text, null where no folder says so. */
  def ofPath(path: Column): Column = byPath(path)

  /** The usual names of a column of splits; others stay as they are. */
  def usual(split: Column): Column = byName(split)

  // Spark's forms for Scala functions ask for Scala's reflection, which is not among its jars.
  private lazy val byPath = text(path => of(path))
  private lazy val byName = text(name => named(name).orElse(Some(name)))

  private def text(function: String => Option[String]): UserDefinedFunction = {
    val of: UDF1[String, String] = value => Option(value).flatMap(function).orNull
    udf(of, StringType)
  }
}
