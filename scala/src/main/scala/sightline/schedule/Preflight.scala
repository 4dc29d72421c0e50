package sightline.schedule

import scala.collection.concurrent.TrieMap
import scala.util.Try

import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.model.{Backend, Bundle}
import sightline.{BuildInfo, SightlineException}

/**
 * What the worker's interpreter said of itself.
 *
 * @param python its `major.minor`
 * @param packages package to version, for those it has
 * @param backends that its packages have, with the built-in ones
 */
final case class Preflight(
    python: String,
    packages: Map[String, String],
    backends: Seq[Backend] = Nil,
)

/** Asks the worker's interpreter, on the driver, before any task starts. */
object Preflight {

  // SQL analyses a query anew for every view and every run. Only answers that sufficed are kept: what was
  // missing may have been installed since.
  private val answers = TrieMap.empty[String, Preflight]
  private val cudaBackends = TrieMap.empty[(String, String), Unit]

  /**
   * @param executable the interpreter
   * @param sparkVersion of the running Spark: pyspark there must be the same
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
      purpose =
        s"backend '${inference.settings.backend}' with decoder '${inference.images.decoder}'",
      hint =
        "Install it there, or name another interpreter by spark.pyspark.python or PYSPARK_PYTHON.",
    )

  /**
   * The backends among which one of that name is: those built in, and if it is none of them, those of
   * the interpreter's packages too.
   *
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  def backends(executable: String, name: String): Seq[Backend] =
    if (Backend.find(name).isDefined) Backend.all
    else {
      val found = ask(executable, BuildInfo.sparkVersion, Nil).backends
      Backend.all ++ found.filter(backend => Backend.find(backend.name).isEmpty)
    }

  /**
   * The same without a model.
   *
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  def checkPackages(executable: String, sparkVersion: String): Preflight =
    ask(executable, sparkVersion, Nil)

  /**
   * Makes sure that an interpreter has what a part of a run needs there.
   *
   * @param packages import names
   * @param purpose what needs them
   * @param hint how to get them, or to do without
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
   * Makes sure that `backend` can run on a GPU of this machine, where the tasks will run here too.
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
   * The bridge is compiled against one Spark's private classes, so it runs on no other.
   *
   * @throws SightlineException SPARK_MISMATCH
   */
  def requireBuildSpark(sparkVersion: String): Unit =
    if (sparkVersion != BuildInfo.sparkVersion) {
      throw SightlineException(
        "SPARK_MISMATCH",
        "expected" -> BuildInfo.sparkVersion,
        "found" -> sparkVersion,
      )
    }

  /**
   * A bundle may name Python code of its own; it is loaded only where somebody has agreed to that.
   *
   * @throws SightlineException CODE_NOT_ALLOWED
   */
  def requireKnownCode(backend: String, bundle: Bundle): Unit = {
    val own = bundle.manifest.architectures.get(backend).filterNot { architecture =>
      Seq("timm:", "torchvision:", "sightline.").exists(architecture.startsWith)
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
    if (!there.contains(sparkVersion)) {
      throw SightlineException(
        "PYSPARK_MISMATCH",
        "executable" -> executable,
        "found" -> there.fold("no pyspark")(v => s"pyspark $v"),
        "expected" -> sparkVersion,
      )
    }
  }

  /** Import names of what the worker needs. */
  private def needs(executable: String, inference: Inference): Seq[String] = {
    val backend = inference.settings.backend
    val library = Option.when(backend == "pytorch") {
      inference.bundle.manifest.architectures.get(backend).map(_.takeWhile(_ != ':'))
    }
    val runtime = backends(executable, backend).filter(_.name == backend).map(_.runtime) ++
      library.flatten.filter(Set("timm", "torchvision"))
    val decoder = Option.when(inference.images.decoder != "pillow")("simplejpeg")
    Seq("numpy", "pyarrow", "PIL", "safetensors") ++ decoder ++ runtime
  }

  /**
   * What the interpreter says of itself: as it said before, unless a package was missing then.
   *
   * @param wanted packages for which an older answer is not enough if it lacks them
   * @throws SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  private def ask(executable: String, sparkVersion: String, wanted: Seq[String]): Preflight = {
    def suffices(answer: Preflight): Boolean =
      answer.packages.get("pyspark").contains(sparkVersion) && wanted.forall(
        answer.packages.contains
      )
    answers.get(executable).filter(suffices).getOrElse {
      val found = parse(executable, run(executable))
      requireSpark(executable, sparkVersion, found)
      if (suffices(found)) answers.put(executable, found): Unit
      found
    }
  }

  /** Its one line of JSON. */
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
        s"it said '${json.linesIterator.nextOption().mkString}'",
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
