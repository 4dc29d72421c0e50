package sightline

import java.awt.Color

import org.apache.spark.sql.{DataFrame, Row}

import sightline.model.TemporaryFolder
import sightline.schedule.WorkerCounters

/**
 * Views of 24 images in four files of Parquet, which Spark reads in two partitions or more: `images`
 * without, `answered` with the model's answer in a column `answer`.
 *
 * Their columns: `id` 1 to 24; `k` 0 to 3, or NULL; `folder` red, green or blue as the image is, but
 * for two; `content`, the bytes: two of them are no image, one is NULL.
 */
trait AnsweredImages extends LocalSpark {

  lazy val colour: String = ColourBundle.bundle.folder.toString
  lazy val means: String = ColourBundle.means.folder.toString

  /** The call that `answered` has the results of. */
  lazy val call: String = s"ml_predict('$colour', content)"

  private lazy val folder = TemporaryFolder.create("test")
  private lazy val tables: Unit = {
    val session = spark
    import session.implicits.*
    val colours = Seq("red" -> Color.RED, "green" -> Color.GREEN, "blue" -> Color.BLUE)
    val rows = (1 to 24).map { id =>
      val (name, color) = colours(id % 3)
      val content = id match {
        case 5 | 18 => s"no image $id".getBytes
        case 11 => None.orNull
        case _ => TestImage.of(color, width = 4 + id % 6)
      }
      val k = Option.when(id % 7 != 0)(id % 4)
      (id, k, if (id == 3 || id == 4) "other" else name, content)
    }
    spark.sparkContext
      .parallelize(rows, 4)
      .toDF("id", "k", "folder", "content")
      .write
      .parquet(s"$folder/images")
    view("images")
    spark
      .sql(s"SELECT *, $call AS answer FROM images")
      .write
      .parquet(s"$folder/answered")
    view("answered")
    assert(spark.table("images").rdd.getNumPartitions > 1): Unit
  }

  private def view(name: String): Unit =
    spark.read.parquet(s"$folder/$name").createOrReplaceTempView(name)

  /** How many of the images are decoded when all of them are inferred: all but NULL. */
  val AllImages = 23

  /** Makes the views, which another suite may have replaced. */
  def withImages(): Unit = {
    tables
    Seq("images", "answered").foreach(view)
  }

  /** A query by its text for a table's name and an expression for the model's answer. */
  type Query = (String, String) => String

  /** The rows with the model, in any order, as texts. */
  def inferred(query: Query): Seq[String] = rows(spark.sql(query("images", call)))

  /** The rows of the same query where the answers are a column of a table. */
  def expected(query: Query): Seq[String] = rows(spark.sql(query("answered", "answer")))

  def rows(frame: DataFrame): Seq[String] = texts(frame.collect().toSeq).sorted

  def texts(rows: Seq[Row]): Seq[String] = rows.map(_.toString)

  /** How many images the workers decode for `run`. */
  def decoded(run: => Any): Int = {
    def now = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = now
    run: Unit
    now - before
  }

  /** With settings of the session, as they were before after it. */
  def withSettings[A](settings: (String, String)*)(run: => A): A = {
    val before = settings.map { case (key, _) => key -> spark.conf.getOption(key) }
    settings.foreach { case (key, value) => spark.conf.set(key, value) }
    try run
    finally
      before.foreach {
        case (key, Some(value)) => spark.conf.set(key, value)
        case (key, None) => spark.conf.unset(key)
      }
  }

  /** Runs with adaptive execution, and without. */
  def adaptiveAndNot(run: String => Any): Unit =
    Seq("true", "false").foreach { adaptive =>
      withSettings("spark.sql.adaptive.enabled" -> adaptive)(run(s"adaptive: $adaptive")): Unit
    }
}
