package sightline.source

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.unsafe.types.UTF8String

/**
 * Why a file gave no bytes.
 *
 * @param code one of [[ErrorCode]]
 * @param message one line, without the file's content
 */
final case class ReadError(code: String, message: String) {

  /** As a value of `Columns.ErrorType`. */
  def toRow: InternalRow =
    InternalRow(
      UTF8String.fromString(code),
      UTF8String.fromString("read"),
      UTF8String.fromString(message),
    )
}
