package sightline.train

import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8

import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

import sightline.{ErrorTranslation, SightlineException}

/** A file with one label in each line; the line number, from 0, is the class id. */
object LabelsFile {

  /**
   * Reads a UTF-8 file.
   *
   * @throws SightlineException BAD_LABELS if it cannot be read or has an empty line
   */
  def read(file: Path, hadoop: Configuration): Seq[String] = {
    val text =
      try {
        val bytes = Using.resource(file.getFileSystem(hadoop).open(file))(_.readAllBytes())
        UTF_8.newDecoder.decode(ByteBuffer.wrap(bytes)).toString.stripPrefix("\ufeff")
      } catch {
        case NonFatal(error) =>
          throw bad(s"'$file' cannot be read as UTF-8: ${ErrorTranslation.firstLine(error)}.")
      }
    val labels = text.replaceAll("\n+$", "").split("\n", -1).toSeq.map(_.trim)
    labels.indexOf("") match {
      case -1 => labels
      case at =>
        throw bad(s"line ${at + 1} of '$file' is empty. Each line is the label of a class.")
    }
  }

  private def bad(detail: String): SightlineException =
    SightlineException("BAD_LABELS", "detail" -> detail)
}
