package sightline.schedule

import scala.collection.concurrent.TrieMap
import scala.util.Try

import org.apache.spark.sql.sightline.Executors
import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.model.{Backend, Bundle}
import sightline.{BuildInfo, SightlineException}

/**
 * Versions that the worker's interpreter reports.
 *
 * @param python the interpreter's version, `major.minor`
 * @param packages the installed packages that the worker can use: import name to version
 * @param backends the backends of the installed packages, including the built-in ones
 */
final case class Preflight(
    python: String,
    packages: Map[String, String],
    backends: Seq[Backend] = Nil,
)

/** Checks of the worker's interpreter. They run on the driver before any task starts. */
object Preflight {

  // The reports by interpreter, because SQL analyses a query for every view and every run. A report with
  // a missing package is not kept, because the package may be installed later.
  private val answers = TrieMap.empty[String, Preflight]
  private val cudaBackends = TrieMap.empty[(String, String), Unit]

  /**
   * Checks that the interpreter has the packages for an inference.
   *
   * @param executable the interpreter, a path or a name on the PATH
   * @param sparkVersion the version of the running Spark; the interpreter's pyspark must have its minor
   *   version
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH, MISSING_PACKAGE or
   *   PYTHON_UNUSABLE
   */
  def check(
      executable: String,
      sparkVersion: String,
      inference: Inference,
  ): Preflight =
    requirePackages(
      executable,
      sparkVersion,
      needs(executable, inference),
      purpose = s"backend '${inference.settings.backend}'",
      hint =
        "Install it there, or set another interpreter by spark.pyspark.python or PYSPARK_PYTHON.",
    )

  /**
   * The known backends: the built-in ones, and those of the interpreter's packages if `name` is not
   * built in.
   *
   * @param executable the interpreter; it is started only if `name` is not built in
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  def backends(executable: String, name: String): Seq[Backend] =
    if (Backend.find(name).isDefined) Backend.all
    else {
      val found = ask(executable, BuildInfo.sparkVersion, Nil, Some(name)).backends
      Backend.all ++ found.filter(backend => Backend.find(backend.name).isEmpty)
    }

  /**
   * Checks that the interpreter can run the worker with this Spark, without a model.
   *
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  def checkPackages(executable: String, sparkVersion: String): Preflight =
    ask(executable, sparkVersion, Nil)

  /**
   * The report of an executor's interpreter, whose process has the paths of Spark's workers.
   *
   * @param here the interpreter with the executor's name, for errors
   * @throws SightlineException PYTHON_NOT_FOUND, PYTHON_UNUSABLE or PYSPARK_MISMATCH
   */
  private[schedule] def onExecutor(
      executable: String,
      here: String,
      sparkVersion: String,
  ): Preflight = {
    val json = DriverPython.run(
      executable,
      "sightline.worker.preflight",
      Nil,
      shown = here,
      sparkPath = Some(Executors.workerPythonPath),
    )
    val found = parse(here, json)
    requireSpark(here, sparkVersion, found)
    found
  }

  /**
   * Checks that the interpreter has the packages for a part of a run.
   *
   * @param packages import names
   * @param purpose the part of the run that needs the packages, for the error
   * @param hint the action that solves a missing package, for the error
   * @throws SightlineException MISSING_PACKAGE and those of [[checkPackages]]
   */
  def requirePackages(
      executable: String,
      sparkVersion: String,
      packages: Seq[String],
      purpose: String,
      hint: String,
  ): Preflight = {
    val found = ask(executable, sparkVersion, packages)
    val missing = packages.filterNot(found.packages.contains)
    if (missing.nonEmpty) {
      throw SightlineException(
        "MISSING_PACKAGE",
        "python" -> executable,
        "packages" -> missing,
        "purpose" -> purpose,
        "hint" -> hint,
      )
    }
    found
  }

  /**
   * Checks that the backend can run on a GPU of this machine; for local mode, where the tasks run here.
   *
   * @throws SightlineException DEVICE_UNAVAILABLE
   */
  def checkCuda(executable: String, backend: String): Unit =
    if (!cudaBackends.contains((executable, backend))) {
      val root = JsonMethods.parse(run(executable, "--cuda", backend))
      if (root \ "cuda" != JBool.True) {
        throw SightlineException(
          "DEVICE_UNAVAILABLE",
          "device" -> "cuda",
          "reason" -> s"backend '$backend' of $executable finds no GPU here",
          "hint" -> "Use device cpu or auto, or install a driver and the backend's GPU package.",
        )
      }
      cudaBackends.put((executable, backend), ()): Unit
    }

  /**
   * Checks that the jar is built for the running Spark. The jar uses Spark's private classes, which
   * differ between minor versions.
   *
   * @throws SightlineException SPARK_MISMATCH
   */
  def requireBuildSpark(sparkVersion: String): Unit =
    if (line(sparkVersion) != BuildInfo.sparkLine) {
      val known = BuildInfo.jars.toSeq.sorted.map { case (other, jar) => s"Spark $other: $jar" }
      throw SightlineException(
        "SPARK_MISMATCH",
        "expected" -> BuildInfo.sparkLine,
        "found" -> sparkVersion,
        "jars" -> known,
      )
    }

  /** The minor version of a Spark or pyspark: 4.1 of 4.1.3. Its patch versions fit together. */
  private def line(version: String): String = version.split('.').take(2).mkString(".")

  /**
   * Checks that the bundle loads no Python code other than that of timm, torchvision and Sightline.
   *
   * @throws SightlineException CODE_NOT_ALLOWED
   */
  def requireKnownCode(executable: String, backend: String, bundle: Bundle): Unit = {
    val variant = backends(executable, backend).find(_.name == backend).fold(backend)(_.variant)
    // Sightline's own plugins run a user's file, such as TorchScript, which is code too.
    val known = if (variant == "python") Nil else Seq("timm:", "torchvision:", "sightline.")
    val own = bundle.manifest.architectures.get(variant).filterNot { architecture =>
      known.exists(architecture.startsWith)
    }
    own.foreach { architecture =>
      throw SightlineException(
        "CODE_NOT_ALLOWED",
        "model" -> bundle.manifest.name,
        "code" -> architecture,
      )
    }
  }

  private def requireSpark(executable: String, sparkVersion: String, found: Preflight): Unit = {
    val there = found.packages.get("pyspark")
    if (!there.map(line).contains(line(sparkVersion))) {
      throw SightlineException(
        "PYSPARK_MISMATCH",
        "executable" -> executable,
        "found" -> there.fold("no pyspark")(v => s"pyspark $v"),
        "expected" -> sparkVersion,
      )
    }
  }

  /** The import names of the packages that the worker needs for the inference. */
  private[schedule] def needs(executable: String, inference: Inference): Seq[String] = {
    val backend = inference.settings.backend
    val chosen = backends(executable, backend).filter(_.name == backend)
    val library = chosen
      .flatMap(one => inference.bundle.manifest.architectures.get(one.variant))
      .map(_.takeWhile(_ != ':'))
      .filter(Set("timm", "torchvision"))
    val runtime = chosen.map(_.runtime) ++ library
    Seq("numpy", "pyarrow", "PIL", "safetensors") ++ runtime
  }

  /**
   * The interpreter's report. An earlier report is reused unless it lacks one of `wanted`.
   *
   * @param wanted the required packages
   * @param backend the required backend; a report without it is not reused
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  private def ask(
      executable: String,
      sparkVersion: String,
      wanted: Seq[String],
      backend: Option[String] = None,
  ): Preflight = {
    def suffices(answer: Preflight): Boolean =
      answer.packages.get("pyspark").map(line).contains(line(sparkVersion)) &&
        wanted.forall(answer.packages.contains) &&
        backend.forall(name => answer.backends.exists(_.name == name))
    answers.get(executable).filter(suffices).getOrElse {
      val found = parse(executable, run(executable))
      requireSpark(executable, sparkVersion, found)
      if (suffices(found)) answers.put(executable, found): Unit
      found
    }
  }

  /** The output of the worker's preflight module: one line of JSON. */
  private def run(executable: String, options: String*): String =
    DriverPython.run(executable, "sightline.worker.preflight", options)

  private def parse(executable: String, json: String): Preflight = {
    implicit val formats: Formats = DefaultFormats
    Try {
      val root = JsonMethods.parse(json)
      val packages = (root \ "packages").extract[Map[String, JValue]].collect {
        case (name, JString(version)) => name -> version
      }
      val pyspark = (root \ "pyspark").extractOpt[String].map("pyspark" -> _)
      Preflight((root \ "python").extract[String], packages ++ pyspark, backends(root))
    }.getOrElse(
      throw DriverPython.unusable(
        executable,
        s"it printed '${json.linesIterator.nextOption().mkString}', not its versions",
      )
    )
  }

  private def backends(root: JValue)(implicit formats: Formats): Seq[Backend] =
    (root \ "backends").extractOpt[Map[String, JValue]].getOrElse(Map.empty).toSeq.map {
      case (name, entry) =>
        Backend(
          name,
          (entry \ "variant").extract[String],
          (entry \ "precisions").extract[Seq[String]],
          (entry \ "package").extract[String],
        )
    }
}
