package sightline

import org.apache.spark.sightline.{ConditionException, SparkConditions}

/**
 * An error that a user can act on. Its message is `CONDITION: detail`.
 *
 * It is a `SparkThrowable`, so `getCondition`, `getMessageParameters` and `getSqlState` work in every
 * Spark client.
 *
 * @param condition the kind of error
 * @param parameters the values of the `<names>` in the condition's message
 * @param detail the message without the condition's name, one or two sentences
 */
final class SightlineException private (
    val condition: ErrorCondition,
    val parameters: Map[String, String],
    val detail: String,
) extends ConditionException(
      condition.name,
      condition.sqlState,
      condition.template,
      parameters,
      s"${condition.name}: $detail",
    ) {

  /** The condition's name, such as `UNKNOWN_MODEL`. */
  def code: String = condition.name

  /** The exit status of a command: 1 if the run failed, 2 for wrong use. */
  def exitStatus: Int = condition.exitStatus
}

object SightlineException {

  // Before the first exception, because Spark looks its condition up.
  SparkConditions.register(ErrorConditions.all.map { case (name, condition) =>
    name -> (condition.template -> condition.sqlState)
  })

  /**
   * The error of a condition.
   *
   * @param condition a name in `error_conditions.json`
   * @param parameters a value for each parameter of the message; the elements of a sequence are
   *   joined by commas, and an empty sequence becomes `none`
   * @throws NoSuchElementException if there is no such condition
   * @throws IllegalArgumentException if the parameters are not those of the message
   */
  def apply(condition: String, parameters: (String, Any)*): SightlineException = {
    val found = ErrorConditions(condition)
    val texts = parameters.map { case (name, value) => name -> text(value) }.toMap
    new SightlineException(found, texts, found.message(texts))
  }

  /**
   * An error that another process reported, with its complete message. Its only parameter is
   * `detail`.
   *
   * @return None if there is no such condition
   */
  def relayed(condition: String, detail: String): Option[SightlineException] =
    ErrorConditions.all
      .get(condition)
      .map(new SightlineException(_, Map("detail" -> detail), detail))

  private def text(value: Any): String = value match {
    case values: Iterable[?] if values.isEmpty => "none"
    case values: Iterable[?] => values.mkString(", ")
    case other => String.valueOf(other)
  }
}
