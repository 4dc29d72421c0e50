package sightline

import java.awt.Color

import org.apache.spark.sql.{DataFrame, Row}

import sightline.model.TemporaryFolder
import sightline.schedule.WorkerCounters

/**
 * Views of 24 images in four Parquet files, which Spark reads in at least two partitions: `images`
 * has the images, and `answered` also has the model's answer in the column `answer`.
 *
 * Their columns: `id` is 1 to 24; `k` is 0 to 3 or NULL; `folder` is red, green or blue like the
 * image, except for two images; `content` has the bytes: two are not an image, and one is NULL.
 */
trait AnsweredImages extends LocalSpark {

  lazy val colour: String = ColourBundle.bundle.folder.toString
  lazy val means: String = ColourBundle.means.folder.toString

  /** The call whose results are in `answered`. */
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

  /** The number of decoded images if all are inferred: all except NULL. */
  val AllImages = 23

  /** Creates the views again, because another suite may have replaced them. */
  def withImages(): Unit = {
    tables
    Seq("images", "answered").foreach(view)
  }

  /** A query text, as a function of a table's name and an expression for the model's answer. */
  type Query = (String, String) => String

  /** The rows of the query with model calls, as strings, in any order. */
  def inferred(query: Query): Seq[String] = rows(spark.sql(query("images", call)))

  /** The rows of the same query on `answered`, without model calls. */
  def expected(query: Query): Seq[String] = rows(spark.sql(query("answered", "answer")))

  def rows(frame: DataFrame): Seq[String] = texts(frame.collect().toSeq).sorted

  def texts(rows: Seq[Row]): Seq[String] = rows.map(_.toString)

  /** The number of images that the workers decode for `run`. */
  def decoded(run: => Any): Int = {
    def now = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = now
    run: Unit
    now - before
  }

  /** Runs with these settings of the session, and restores the old ones afterwards. */
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

  /** Runs once with and once without adaptive execution. */
  def adaptiveAndNot(run: String => Any): Unit =
    Seq("true", "false").foreach { adaptive =>
      withSettings("spark.sql.adaptive.enabled" -> adaptive)(run(s"adaptive: $adaptive")): Unit
    }
}
