package sightline.ml

import java.awt.Color

import org.apache.spark.sql.{DataFrame, Row}

import sightline.{ColourBundle, LocalSpark, TestImage}

/** Tables of images in two partitions or more, and the bundles of their colours. */
trait StageImages extends LocalSpark {

  lazy val means: String = ColourBundle.means.folder.toString
  lazy val colour: String = ColourBundle.bundle.folder.toString

  val red: Array[Byte] = TestImage.of(Color.RED)
  val green: Array[Byte] = TestImage.of(new Color(10, 200, 30))
  val blue: Array[Byte] = TestImage.of(new Color(0, 40, 220))
  val empty: Array[Byte] = Array.emptyByteArray
  val text: Array[Byte] = "no image".getBytes
  val none: Array[Byte] = None.orNull

  /** A table with columns `id`, from 1, and `content`. */
  def table(images: Array[Byte]*): DataFrame = {
    val session = spark
    import session.implicits.*
    val rows = images.zipWithIndex.map { case (image, at) => (at + 1, image) }
    spark.sparkContext.parallelize(rows, 3).toDF("id", "content")
  }

  /** The rows by `id`, as texts without the images' bytes. */
  def texts(frame: DataFrame): Seq[String] =
    frame.drop("content").orderBy("id").collect().toSeq.map(_.toString)

  /** The rows by `id`. */
  def rows(frame: DataFrame): Seq[Row] = frame.drop("content").orderBy("id").collect().toSeq
}
