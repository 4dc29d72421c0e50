package sightline.doctor

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.{SPARK_VERSION, SparkConf}

import sightline.model.{Bundle, BundleCatalog}
import sightline.report.WritableOutput
import sightline.schedule.{DriverPython, Interpreter, Preflight}
import sightline.{BuildInfo, LocalFiles}

/**
 * Checks a set-up: the driver without a session, and then the executors.
 *
 * @param conf the application's settings
 * @param hadoop settings of file systems
 */
final class Doctor(request: Request, conf: SparkConf, hadoop: Configuration) {

  private val executable = Interpreter.ofDriver(conf)

  private lazy val model: Try[Option[Bundle]] = Try {
    request.model.map(new BundleCatalog(request.models, hadoop).find(_).bundle)
  }

  /** The findings on the driver. It starts the interpreter, and no Spark session. */
  def driver(): Seq[Finding] = {
    val spark = Finding.catching(Preflight.requireBuildSpark(SPARK_VERSION))
    val found = Finding.catching(model.get: Unit)
    val output = Finding.catching(request.output.foreach(requireWritable))
    versions ++ spark ++ python() ++ found ++ output ++ SettingChecks.findings(conf, request.device)
  }

  /** The findings on every executor. */
  def executors(spark: SparkSession): Seq[Finding] = {
    val python = Preflight.checkPackages(executable, SPARK_VERSION).python
    new ExecutorChecks(spark, request, Interpreter.of(conf), python, model.toOption.flatten)
      .findings()
  }

  private def versions: Seq[Finding] = Seq(
    Finding(
      "SPARK",
      Severity.Ok,
      s"Spark $SPARK_VERSION, the jar is for ${BuildInfo.sparkLine}, " +
        s"Java ${sys.props("java.version")}",
    ),
    Finding(
      "INTERPRETER",
      Severity.Ok,
      s"the driver uses $executable, the executors use ${Interpreter.of(conf)}",
    ),
  )

  /** The findings of the driver's interpreter, or the error that a run would have. */
  private def python(): Seq[Finding] = {
    val line = Finding.catching(Preflight.checkPackages(executable, SPARK_VERSION): Unit)
    // Another interpreter than one that starts has nothing to report.
    if (line.exists(one => one.name == "PYTHON_NOT_FOUND" || one.name == "PYTHON_UNUSABLE")) line
    else {
      val folder = model.toOption.flatten.map(_.folder.toString)
      val json = request.json(conf, "driver", folder)
      line ++ Finding.parse(
        DriverPython.run(executable, "sightline.doctor.print_findings", Seq(withOutput(json)))
      )
    }
  }

  /** The request with a local output, because Python tries to write there. */
  private def withOutput(json: String): String = {
    import org.json4s.*
    import org.json4s.JsonDSL.*
    import org.json4s.jackson.JsonMethods
    val local = request.output.flatMap(output => LocalFiles.of(qualified(output)))
    JsonMethods.compact(
      JsonMethods.parse(json).merge(("output" -> local.map(_.toString)): JObject)
    )
  }

  private def requireWritable(output: String): Unit = {
    val path = qualified(output)
    // Python has tried a local one.
    if (LocalFiles.of(path).isEmpty) WritableOutput.require(path.getFileSystem(hadoop), path)
  }

  private def qualified(output: String): Path = {
    val path = new Path(output)
    path.getFileSystem(hadoop).makeQualified(path)
  }
}
