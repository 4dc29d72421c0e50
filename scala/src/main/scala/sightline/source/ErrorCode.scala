package sightline.source

/** The error codes of images; `sightline.row_error` in Python has the same list. */
object ErrorCode {
  val Empty = "EMPTY"
  val NotFound = "NOT_FOUND"
  val Denied = "DENIED"
  val Changed = "CHANGED"
  val Io = "IO"
  val TooLarge = "TOO_LARGE"
  val InvalidInput = "INVALID_INPUT"

  val all: Seq[String] = Seq(
    Empty,
    NotFound,
    Denied,
    Changed,
    Io,
    "UNSUPPORTED",
    "TRUNCATED",
    "CORRUPT",
    TooLarge,
    InvalidInput,
    "MODEL",
  )
}
