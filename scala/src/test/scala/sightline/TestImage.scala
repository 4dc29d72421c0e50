package sightline

import java.awt.Color
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import javax.imageio.ImageIO

/** Small real images of one colour. */
object TestImage {

  /** @param format as `javax.imageio` names it: png, jpg, bmp, gif */
  def of(color: Color, format: String = "png", width: Int = 12, height: Int = 10): Array[Byte] = {
    val image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB)
    val pen = image.createGraphics()
    pen.setColor(color)
    pen.fillRect(0, 0, width, height)
    pen.dispose()
    val out = new ByteArrayOutputStream
    ImageIO.write(image, format, out)
    out.toByteArray
  }
}
