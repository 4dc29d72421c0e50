package sightline.plan

import org.apache.spark.sql.catalyst.expressions.{Cast, Expression}
import org.apache.spark.sql.types.{BinaryType, NullType}

import sightline.SightlineException

/** Checks a function's image argument, which must be bytes. */
object ImageArgument {

  /** @throws SightlineException WRONG_COLUMN_TYPE */
  def apply(function: String, image: Expression): Expression = image.dataType match {
    case BinaryType => image
    case NullType => Cast(image, BinaryType)
    case other =>
      throw SightlineException(
        "WRONG_COLUMN_TYPE",
        "column" -> image.sql,
        "type" -> other.sql,
        "subject" -> function,
        "hint" -> "Read files by read_images('folder'), which has them in its column content.",
      )
  }
}
