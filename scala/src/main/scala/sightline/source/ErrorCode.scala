package sightline.source

/** The codes that an error row can carry; `sightline.engine.result` holds the same list. */
object ErrorCode {
  val Empty = "EMPTY"
  val NotFound = "NOT_FOUND"
  val Denied = "DENIED"
  val Changed = "CHANGED"
  val Io = "IO"
  val TooLarge = "TOO_LARGE"

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
    "INVALID_INPUT",
    "MODEL",
  )
}
