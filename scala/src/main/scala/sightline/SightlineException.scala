package sightline

/**
 * An error a person can act on: names the thing, what is wrong, why, and what to do.
 *
 * @param code stable name in capitals, for programs: `UNKNOWN_MODEL`
 * @param detail one or two sentences for people, without the code
 * @param exitStatus 1 when the run failed, 2 when it was asked for wrongly
 */
class SightlineException(
    val code: String,
    val detail: String,
    val exitStatus: Int,
    cause: Option[Throwable] = None,
) extends RuntimeException(s"$code: $detail", cause.orNull)

object SightlineException {

  /** What was asked for cannot be done as asked: exit status 2, before any task. */
  def wrongUse(code: String, detail: String): SightlineException =
    new SightlineException(code, detail, exitStatus = 2)

  /** The run failed: exit status 1. */
  def failed(code: String, detail: String, cause: Option[Throwable] = None): SightlineException =
    new SightlineException(code, detail, exitStatus = 1, cause)
}
