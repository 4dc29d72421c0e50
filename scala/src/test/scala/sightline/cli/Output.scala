package sightline.cli

import java.io.{ByteArrayOutputStream, PrintStream}
import java.nio.charset.StandardCharsets.UTF_8

/** The result of a command line: its exit status and its printed texts. */
final case class Output(status: Int, out: String, err: String) {

  def lastError: String = err.linesIterator.toSeq.lastOption.getOrElse("")

  def hasTrace: Boolean = err.linesIterator.exists(_.startsWith("\tat "))
}

object Output {

  /** Runs `command` and captures both output streams. */
  def of(command: => Int): Output = {
    val (out, err) = (new ByteArrayOutputStream, new ByteArrayOutputStream)
    val before = System.err
    System.setErr(new PrintStream(err, true, UTF_8))
    val status =
      try Console.withOut(new PrintStream(out, true, UTF_8))(command)
      finally System.setErr(before)
    Output(status, out.toString(UTF_8), err.toString(UTF_8))
  }
}
