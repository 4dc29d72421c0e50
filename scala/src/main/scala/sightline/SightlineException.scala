package sightline

import org.apache.spark.sql.sightline.ConditionException

/**
 * An error a person can act on: names the thing, what is wrong, why, and what to do.
 *
 * Its message is `CONDITION: detail`. To Spark it is a `SparkThrowable`, so `getCondition`,
 * `getMessageParameters` and `getSqlState` work in every client.
 *
 * @param condition what kind of error it is
 * @param parameters values for the `<names>` in the condition's message
 * @param detail one or two sentences for people, without the condition's name
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

  /** The condition's name: `UNKNOWN_MODEL`. */
  def code: String = condition.name

  /** 1 when the run failed, 2 when it was asked for wrongly. */
  def exitStatus: Int = condition.exitStatus
}

object SightlineException {

  /**
   * @param condition a name in `error_conditions.json`
   * @param parameters a value for each parameter of its message; those of a sequence are joined by
   *   commas, and `none` stands for an empty one
   */
  def apply(condition: String, parameters: (String, Any)*): SightlineException = {
    val found = ErrorConditions(condition)
    val texts = parameters.map { case (name, value) => name -> text(value) }.toMap
    new SightlineException(found, texts, found.message(texts))
  }

  /**
   * An error that another process has told, whose message is complete: its only parameter is
   * `detail`.
   *
   * @return None when there is no such condition
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
