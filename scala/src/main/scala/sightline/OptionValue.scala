package sightline

/** Checks the values of options, alike for commands, the data source and settings. */
object OptionValue {

  /** The error INVALID_OPTION; `reason` is a sentence that states which values are valid. */
  def invalid(option: String, value: Any, reason: String): SightlineException =
    SightlineException("INVALID_OPTION", "option" -> option, "value" -> value, "reason" -> reason)

  /**
   * Returns `value` if it is one of `known`.
   *
   * @param condition the error's condition, such as UNKNOWN_BACKEND
   * @throws SightlineException of that condition, with the known values
   */
  def oneOf(condition: String, option: String, value: String, known: Seq[String]): String =
    if (known.contains(value)) value
    else throw SightlineException(condition, "option" -> option, "value" -> value, "known" -> known)

  /**
   * Returns `value` if it is at least `least`.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def atLeast[N](option: String, value: N, least: N)(implicit order: Ordering[N]): N =
    if (order.gteq(value, least)) value
    else throw invalid(option, value, s"It must be at least $least.")

  /**
   * Parses a whole number of at least `least`.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def wholeNumber(option: String, text: String, least: Long): Long =
    text.toLongOption
      .filter(_ >= least)
      .getOrElse(throw invalid(option, text, s"It must be a whole number of at least $least."))
}
