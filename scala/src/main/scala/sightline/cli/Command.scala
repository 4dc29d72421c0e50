package sightline.cli

import java.time.Instant

import mainargs.ParserForClass
import org.apache.spark.sql.SparkSession

import sightline.{OptionValue, SightlineException}

/** A command of the application. */
trait Command {

  /** The name on the command line. */
  def name: String

  /** One line for the list of commands. */
  def summary: String

  /** The arguments of an example for the help. */
  def example: String

  /** The help of the options. */
  def options: String

  /**
   * Checks the arguments.
   *
   * @return the run, which starts when it is called
   * @throws SightlineException WRONG_ARGUMENTS, INVALID_OPTION and others of the command
   */
  def prepare(arguments: Seq[String]): Invocation => Unit

  /** The complete help. */
  def help: String =
    s"""$name: $summary
       |
       |Example
       |  spark-submit sightline.jar $name $example
       |
       |Options
       |$options""".stripMargin
}

/**
 * A call of a command.
 *
 * @param arguments the words of the command line after the command's name
 * @param started the start of the program
 */
final case class Invocation(spark: SparkSession, arguments: Seq[String], started: Instant)

object Command {

  // The parser's message for a value that cannot be parsed, which ends with Java's message.
  private val Unreadable =
    """(?s)Invalid argument (--[\w-]+) <(\w+)> failed to parse (?:"|')?(.*?)(?:"|')? due to .*""".r

  private val kinds = Map(
    "int" -> "a whole number",
    "long" -> "a whole number",
    "double" -> "a number",
    "bool" -> "true or false",
  )

  /**
   * Parses the arguments.
   *
   * @throws SightlineException WRONG_ARGUMENTS or INVALID_OPTION
   */
  def parse[A](parser: ParserForClass[A], command: Command, arguments: Seq[String]): A =
    parser.constructEither(arguments, autoPrintHelpAndExit = None) match {
      case Right(value) => value
      case Left(Unreadable(option, wanted, value)) =>
        val kind = kinds.getOrElse(wanted, s"of the type $wanted")
        throw OptionValue.invalid(option, value, s"It must be $kind.")
      case Left(message) =>
        val why = message.linesIterator.takeWhile(!_.startsWith("Expected Signature")).mkString(" ")
        throw SightlineException(
          "WRONG_ARGUMENTS",
          "subject" -> command.name,
          "reason" -> s"${why.trim} See `spark-submit sightline.jar ${command.name} --help`.",
        )
    }

  /** The help of a parser's options, without the parser's heading. */
  def options[A](parser: ParserForClass[A]): String =
    parser
      .helpText(totalWidth = 100, sorted = false)
      .linesIterator
      .dropWhile(!_.startsWith("  "))
      .mkString("\n")

  /**
   * Returns `value` if it is between 0 and 1.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def share(option: String, value: Double): Double =
    if (value >= 0 && value <= 1) value
    else throw OptionValue.invalid(option, value, "It must be between 0 and 1.")

  /**
   * Returns `value` if it is not blank.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def nonEmpty(option: String, value: String): String =
    if (value.trim.nonEmpty) value
    else throw OptionValue.invalid(option, value, "It must not be empty.")
}
