package sightline.schedule

import org.json4s.{JInt, JString, JValue}

import sightline.OptionValue

/** The number of rows in one batch of the model. */
sealed trait BatchRows {

  /** The value for the worker: a number, or `auto`. */
  def json: JValue
}

object BatchRows {

  /**
   * The number that was measured for the backend on a CPU when the model was added. It is 32 without
   * one, and on a GPU. The worker finds it, because only the worker knows the device.
   */
  case object Auto extends BatchRows {
    override def json: JValue = JString(toString)
    override def toString: String = "auto"
  }

  /** A number of at least 1, which the user chose. */
  final case class Fixed(rows: Int) extends BatchRows {
    override def json: JValue = JInt(rows)
    override def toString: String = rows.toString
  }

  /**
   * Parses `auto`, or a whole number of at least 1.
   *
   * @param option the option's name in errors
   * @throws sightline.SightlineException INVALID_OPTION
   */
  def parse(option: String, text: String): BatchRows =
    if (text == Auto.toString) Auto
    else
      text.toIntOption.filter(_ >= 1).map(Fixed.apply).getOrElse {
        throw OptionValue
          .invalid(option, text, "It must be auto, or a whole number of at least 1.")
      }
}
