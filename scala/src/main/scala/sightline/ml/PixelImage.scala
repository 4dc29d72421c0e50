package sightline.ml

import java.nio.{ByteBuffer, ByteOrder}

import org.apache.spark.ml.image.ImageSchema
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.functions.{struct, udf, when}
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.{Column, Row}

import sightline.source.{ErrorCode, ImagePathReader, ReadError}

/**
 * The images of `spark.read.format("image")`: rows of pixels, from the top, blue before green
 * before red. They become BMP files, whose pixels have the same order.
 */
private[ml] object PixelImage {

  private val FileHeaderBytes = 14
  // BITMAPV4HEADER, because only it has a mask of alpha.
  private val InfoHeaderBytes = 108
  private val GreyLevels = 256
  private val BitFields = 3
  private val Undefined = ImageSchema.ocvTypes(ImageSchema.undefinedImageType)
  private val SrgbSpace = 0x73524742
  private val Fields = Seq("height", "width", "nChannels", "mode", "data")

  /** Whether a type is that of Spark's images. The order of fields does not matter. */
  def is(column: StructType): Boolean = {
    def types(struct: StructType): Map[String, DataType] =
      struct.map(field => field.name -> field.dataType).toMap.filter { case (name, _) =>
        Fields.contains(name)
      }
    types(column) == types(ImageSchema.columnSchema)
  }

  /**
   * `struct<content, error>`: a BMP file, or the error of an image that is not valid. It is NULL for
   * an image that is NULL.
   */
  def encoded(image: Column): Column =
    when(image.isNotNull, toFile(struct(Fields.map(image.getField(_)): _*)))

  private val toFile = udf(
    new UDF1[Row, Row] {
      override def call(image: Row): Row = {
        val fields = Option(image).filterNot(_.anyNull)
        fields.fold(Row(None.orNull, None.orNull)) { pixels =>
          file(
            pixels.getInt(0),
            pixels.getInt(1),
            pixels.getInt(2),
            pixels.getInt(3),
            pixels.getAs[Array[Byte]](4),
          ) match {
            case Right(bytes) => Row(bytes, None.orNull)
            case Left(why) => Row(None.orNull, ReadError(ErrorCode.InvalidInput, why).toRow)
          }
        }
      }
    },
    ImagePathReader.ResultType,
  )

  /**
   * A BMP file of the pixels.
   *
   * @param mode OpenCV's type: 8-bit samples of 1, 3 or 4 channels
   * @return the file, or why the image is not valid
   */
  private[ml] def file(
      height: Int,
      width: Int,
      channels: Int,
      mode: Int,
      data: Array[Byte],
  ): Either[String, Array[Byte]] = {
    val known = ImageSchema.ocvTypes.get(s"CV_8UC$channels").contains(mode)
    val size = height.toLong * width * channels
    if (mode == Undefined) Left("Spark could not decode this image (mode -1)")
    else if (!known) Left(s"images of mode $mode with $channels channels are not supported")
    else if (height < 1 || width < 1) Left(s"an image of height $height and width $width")
    else if (data.length != size) {
      Left(s"$height x $width pixels of $channels channels are $size bytes, not ${data.length}")
    } else if (size > Int.MaxValue / 2) Left(s"$size bytes of pixels are too many")
    else Right(write(height, width, channels, data))
  }

  private def write(height: Int, width: Int, channels: Int, data: Array[Byte]): Array[Byte] = {
    val rowBytes = width * channels
    val padding = (4 - rowBytes % 4) % 4
    val paletteBytes = if (channels == 1) 4 * GreyLevels else 0
    val start = FileHeaderBytes + InfoHeaderBytes + paletteBytes
    val bytes = start + (rowBytes + padding) * height
    val out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN)
    out.put('B'.toByte).put('M'.toByte).putInt(bytes).putInt(0).putInt(start)
    // A negative height: the first row is the top one.
    out.putInt(InfoHeaderBytes).putInt(width).putInt(-height)
    out.putShort(1).putShort((8 * channels).toShort)
    out.putInt(if (channels == 4) BitFields else 0).putInt((rowBytes + padding) * height)
    out.putInt(0).putInt(0).putInt(if (channels == 1) GreyLevels else 0).putInt(0)
    Seq(0xff0000, 0xff00, 0xff, 0xff000000).foreach { mask =>
      out.putInt(if (channels == 4) mask else 0)
    }
    out.putInt(SrgbSpace).position(FileHeaderBytes + InfoHeaderBytes)
    if (channels == 1) (0 until GreyLevels).foreach(level => out.putInt(level * 0x10101))
    (0 until height).foreach { row =>
      out.put(data, row * rowBytes, rowBytes).put(new Array[Byte](padding))
    }
    out.array
  }
}
