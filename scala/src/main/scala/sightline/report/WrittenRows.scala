package sightline.report

import sightline.SightlineException

/** Compares the rows that a run wrote with those that it read. */
object WrittenRows {

  /** @throws SightlineException ROWS_LOST if the counts differ */
  def check(expected: Long, found: Long): Unit =
    if (found != expected) {
      throw SightlineException("ROWS_LOST", "expected" -> expected, "found" -> found)
    }

  /**
   * Compares the rows of each split.
   *
   * @throws SightlineException ROWS_LOST if the counts of any split differ
   */
  def check(expected: Map[String, Long], found: Map[String, Long]): Unit =
    if (found != expected) {
      throw SightlineException(
        "ROWS_LOST",
        "expected" -> expected.values.sum,
        "found" -> found.values.sum,
      )
    }
}
