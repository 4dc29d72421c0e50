package sightline.schedule

import java.io.{File, IOException}

import scala.sys.process.{Process, ProcessLogger}

import sightline.{BuildInfo, SightlineException}

/** Runs a module of the Python package on the driver, in the interpreter that the workers have. */
private[schedule] object DriverPython {

  /**
   * @param module such as `sightline.doors.preflight`
   * @return what it prints
   * @throws SightlineException PYTHON_NOT_FOUND or PYTHON_UNUSABLE
   */
  def run(executable: String, module: String, arguments: Seq[String]): String = {
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
          throw SightlineException.wrongUse(
            "PYTHON_NOT_FOUND",
            s"'$executable' cannot be started (${error.getMessage}). Name an interpreter by " +
              "PYSPARK_PYTHON or spark.pyspark.python.",
          )
      }
    if (status != 0) {
      val last = err.toString.linesIterator.toSeq.lastOption
      throw unusable(executable, last.getOrElse(s"exit status $status"))
    }
    out.toString
  }

  def unusable(executable: String, why: String): SightlineException =
    SightlineException.wrongUse(
      "PYTHON_UNUSABLE",
      s"'$executable' cannot run Sightline ${BuildInfo.version} ($why). It needs Python 3.11 " +
        "or newer; name another by PYSPARK_PYTHON or spark.pyspark.python.",
    )
}
