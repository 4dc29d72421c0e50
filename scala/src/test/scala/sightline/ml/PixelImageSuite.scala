package sightline.ml

import java.awt.Color
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.nio.file.Path
import javax.imageio.ImageIO

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.functions.{col, regexp_extract}
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** The struct of Spark's `format("image")` as the input of a stage. */
final class PixelImageSuite extends AnyFunSuite with StageImages {

  // 5 pixels wide, so that the rows of a BMP need padding; the corners have different colours.
  private def drawn(kind: Int): Array[Byte] = {
    val image = new BufferedImage(5, 7, kind)
    (0 until 5).foreach(x =>
      (0 until 7).foreach(y =>
        image.setRGB(x, y, new Color(40 * x, 30 * y, 200 - 20 * x - 10 * y, 90 + 20 * y).getRGB)
      )
    )
    val out = new ByteArrayOutputStream
    ImageIO.write(image, "png", out)
    out.toByteArray
  }

  private val kinds = Seq(
    BufferedImage.TYPE_3BYTE_BGR,
    BufferedImage.TYPE_BYTE_GRAY,
    BufferedImage.TYPE_4BYTE_ABGR,
  )

  private def read(folder: Path): (DataFrame, DataFrame) = {
    val id = regexp_extract(col("path"), "([0-9]+).png", 1).cast("int").as("id")
    val pixels = spark.read.format("image").load(s"$folder").withColumn("path", col("image.origin"))
    val bytes = spark.read.format("sightline").load(s"$folder")
    (
      pixels.select(id, col("image").as("content")).repartition(2),
      bytes.select(id, col("content")).repartition(2),
    )
  }

  test("colour, grey and transparent images give the same features from pixels and from the file") {
    withFolder { folder =>
      kinds.zipWithIndex.foreach { case (kind, at) => write(folder, s"$at.png", drawn(kind)) }
      val (pixels, bytes) = read(folder)
      val modes = pixels.orderBy("id").select("content.mode").collect().map(_.getInt(0)).toSeq
      assert(modes == Seq(16, 0, 24))
      val stage = new ImageFeaturizer().setModel(means)
      val ofPixels = rows(stage.transform(pixels))
      assert(ofPixels.forall(_.isNullAt(2)), ofPixels.toString)
      assert(ofPixels == rows(stage.transform(bytes)))
      assert(ofPixels.map(_.getAs[Vector]("features")).distinct.size == 3)
    }
  }

  test("an image that Spark could not decode, or that is not valid, has an error in its row") {
    val session = spark
    import session.implicits.*
    def pixels(height: Int, width: Int, channels: Int, mode: Int, bytes: Int) =
      (height, width, channels, mode, Array.fill(bytes)(200.toByte))
    val rows = Seq(
      pixels(2, 3, 3, 16, 18),
      pixels(-1, -1, -1, -1, 0),
      pixels(2, 3, 3, 16, 17),
      pixels(2, 3, 2, 8, 12),
      pixels(0, 3, 1, 0, 0),
      pixels(2, 3, 1, 0, 6),
    )
    val images = spark.sparkContext
      .parallelize(
        rows.zipWithIndex.map { case ((h, w, c, m, d), at) => (at, "o", h, w, c, m, d) },
        2,
      )
      .toDF("id", "origin", "height", "width", "nChannels", "mode", "data")
      .selectExpr("id", "struct(origin, height, width, nChannels, mode, data) AS content")
    val found = this.rows(new ImageFeaturizer().setModel(means).transform(images))
    val messages = found.map(row => Option(row.getAs[Row]("error")).map(_.getString(2)))
    assert(
      messages == Seq(
        None,
        Some("Spark could not decode this image (mode -1)"),
        Some("2 x 3 pixels of 3 channels are 18 bytes, not 17"),
        Some("images of mode 8 with 2 channels are not supported"),
        Some("an image of height 0 and width 3"),
        None,
      )
    )
    val codes = found.flatMap(row => Option(row.getAs[Row]("error")).map(_.getString(0)))
    assert(codes.distinct == Seq("INVALID_INPUT"))
    assert(Option(found.head.getAs[Vector]("features")).map(_(0)).contains(200d))
  }

  test("an image that is NULL has the error of NULL bytes") {
    val pixels = table(red, none)
      .selectExpr(
        "id",
        """IF(id = 2, NULL, named_struct('origin', 'o', 'height', 1, 'width', 1, 'nChannels', 3,
          |  'mode', 16, 'data', X'0000FF')) AS content""".stripMargin,
      )
    Seq(pixels, table(red, none)).foreach { images =>
      val found = rows(new ImageFeaturizer().setModel(means).transform(images))
      assert(
        found.map(row => Option(row.getAs[Row]("error")).map(_.getAs[String]("code"))) ==
          Seq(None, Some("INVALID_INPUT"))
      )
      assert(found.head.getAs[Vector]("features").toArray.toSeq == Seq(255d, 0d, 0d))
    }
  }

  test("a real photograph gives the same prediction from pixels and from the file") {
    val model = RealImages.featurizer()
    withFolder { folder =>
      val photograph = ImageIO.read(RealImages.flowers("test").head.toFile)
      val out = new ByteArrayOutputStream
      ImageIO.write(photograph, "png", out)
      write(folder, "1.png", out.toByteArray)
      val (pixels, bytes) = read(folder)
      val stage = new ImagePredictor().setModel(model)
      assert(texts(stage.transform(pixels)) == texts(stage.transform(bytes)))
    }
  }
}
