package sightline.schedule

import java.io.{ByteArrayInputStream, File, IOException}
import java.nio.charset.StandardCharsets.UTF_8

import scala.sys.process.{Process, ProcessLogger}

import sightline.{BuildInfo, SightlineException}

/** Runs modules of the Python package on the driver, with the workers' interpreter. */
private[sightline] object DriverPython {

  private val Failure = "(?m)^(?:sightline: )?([A-Z_0-9]+): (.*)$".r

  /**
   * Runs a module: `python -m MODULE ARGUMENTS`.
   *
   * @param executable the interpreter, a path or a name on the PATH
   * @param module such as `sightline.worker.preflight`
   * @param shown the interpreter's name in errors; empty: its path
   * @param sparkPath on an executor, the paths that come before those of PYTHONPATH
   * @return the module's standard output
   * @throws SightlineException PYTHON_NOT_FOUND if the interpreter does not start; PYTHON_UNUSABLE if
   *   the module ends with an exit status other than 0
   */
  def run(
      executable: String,
      module: String,
      arguments: Seq[String],
      shown: String = "",
      sparkPath: Option[String] = None,
  ): String = {
    val name = if (shown.isEmpty) executable else shown
    val ended = execute(executable, module, arguments, shown = name, sparkPath = sparkPath)
    if (ended.status != 0) throw unusable(name, ended.lastWords)
    ended.out
  }

  /**
   * Runs a command of the package: `python -m sightline WORDS`.
   *
   * @return the command's standard output
   * @throws SightlineException the error that the command prints; PYTHON_FAILED if it fails without a
   *   Sightline error; PYTHON_NOT_FOUND if the interpreter does not start
   */
  def command(executable: String, words: Seq[String]): String =
    succeeded(words, execute(executable, "sightline", words))

  /**
   * Runs a step of a command: `python -m MODULE STEP`, with JSON as its input.
   *
   * @param command the command's name, for the error of a step that breaks
   * @param environment more environment variables
   * @return the step's standard output
   * @throws SightlineException as [[command]]
   */
  def step(
      executable: String,
      module: String,
      command: String,
      step: String,
      input: String,
      environment: Map[String, String] = Map.empty,
  ): String =
    succeeded(Seq(command), execute(executable, module, Seq(step), Some(input), environment))

  private def succeeded(words: Seq[String], ended: Ended): String = {
    if (ended.status != 0) {
      throw Failure
        .findAllMatchIn(ended.err)
        .flatMap(error => SightlineException.relayed(error.group(1), error.group(2)))
        .nextOption()
        .getOrElse(broken(words, ended))
    }
    ended.out
  }

  final private case class Ended(status: Int, out: String, err: String) {
    def lastWords: String = err.linesIterator.toSeq.lastOption.getOrElse(s"exit status $status")
  }

  private def execute(
      executable: String,
      module: String,
      arguments: Seq[String],
      input: Option[String] = None,
      environment: Map[String, String] = Map.empty,
      shown: String = "",
      sparkPath: Option[String] = None,
  ): Ended = {
    val out = new StringBuilder
    val err = new StringBuilder
    val log = ProcessLogger(
      line => { out.append(line).append('\n'); () },
      line => { err.append(line).append('\n'); () },
    )
    val path = PythonSources.folder.toString +: (sparkPath ++ sys.env.get("PYTHONPATH")).toSeq
    val variables = Seq(
      "PYTHONPATH" -> path.mkString(File.pathSeparator),
      "PYTHONDONTWRITEBYTECODE" -> "1",
    ) ++ environment
    val process = Process(Seq(executable, "-m", module) ++ arguments, None, variables: _*)
    val status =
      try
        input
          .fold(process) { text =>
            process #< new ByteArrayInputStream(text.getBytes(UTF_8))
          }
          .!(log)
      catch {
        case error: IOException =>
          throw SightlineException(
            "PYTHON_NOT_FOUND",
            "executable" -> (if (shown.isEmpty) executable else shown),
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

  /** The error PYTHON_UNUSABLE; `why` is the reason in parentheses. */
  def unusable(executable: String, why: String): SightlineException =
    SightlineException(
      "PYTHON_UNUSABLE",
      "executable" -> executable,
      "version" -> BuildInfo.version,
      "reason" -> why,
    )
}
