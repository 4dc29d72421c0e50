package sightline.schedule

import java.io.{File, IOException}

import scala.sys.process.{Process, ProcessLogger}

import sightline.{BuildInfo, SightlineException}

/** Runs the Python package on the driver, in the interpreter that the workers have. */
private[sightline] object DriverPython {

  private val Failure = "(?m)^sightline: ([A-Z_]+): (.*)$".r

  /**
   * @param module such as `sightline.worker.preflight`
   * @return what it prints
   * @throws SightlineException PYTHON_NOT_FOUND or PYTHON_UNUSABLE
   */
  def run(executable: String, module: String, arguments: Seq[String]): String = {
    val ended = execute(executable, module, arguments)
    if (ended.status != 0) throw unusable(executable, ended.lastWords)
    ended.out
  }

  /**
   * Runs a command of the package: `python -m sightline WORDS`.
   *
   * @return what it prints
   * @throws SightlineException the command's own, PYTHON_NOT_FOUND, or PYTHON_FAILED if it ends without
   *   a word of its own
   */
  def command(executable: String, words: Seq[String]): String = {
    val ended = execute(executable, "sightline", words)
    if (ended.status != 0) {
      throw Failure
        .findFirstMatchIn(ended.err)
        .flatMap(told => SightlineException.relayed(told.group(1), told.group(2)))
        .getOrElse(broken(words, ended))
    }
    ended.out
  }

  final private case class Ended(status: Int, out: String, err: String) {
    def lastWords: String = err.linesIterator.toSeq.lastOption.getOrElse(s"exit status $status")
  }

  private def execute(executable: String, module: String, arguments: Seq[String]): Ended = {
    val out = new StringBuilder
    val err = new StringBuilder
    val log = ProcessLogger(
      line => { out.append(line).append('\n'); () },
      line => { err.append(line).append('\n'); () },
    )
    val path = PythonSources.folder.toString +: sys.env.get("PYTHONPATH").toSeq
    val variables = Seq(
      "PYTHONPATH" -> path.mkString(File.pathSeparator),
      "PYTHONDONTWRITEBYTECODE" -> "1",
    )
    val status =
      try Process(Seq(executable, "-m", module) ++ arguments, None, variables: _*).!(log)
      catch {
        case error: IOException =>
          throw SightlineException(
            "PYTHON_NOT_FOUND",
            "executable" -> executable,
            "reason" -> error.getMessage,
          )
      }
    Ended(status, out.toString, err.toString)
  }

  private def broken(words: Seq[String], ended: Ended): SightlineException =
    SightlineException(
      "PYTHON_FAILED",
      "command" -> words.head,
      "status" -> ended.status,
      "reason" -> ended.lastWords,
    )

  def unusable(executable: String, why: String): SightlineException =
    SightlineException(
      "PYTHON_UNUSABLE",
      "executable" -> executable,
      "version" -> BuildInfo.version,
      "reason" -> why,
    )
}
