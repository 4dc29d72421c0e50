package sightline.schedule

import scala.collection.concurrent.TrieMap

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.{Executor, Executors, SessionArchives}
import org.apache.spark.{SparkContext, SparkEnv}

import sightline.SightlineException

/**
 * The result of a call on an executor.
 *
 * @param executor the id of the executor that ran it
 * @param millis the executor's clock, in milliseconds since 1970
 * @param result the value; or the condition and the message of an error
 */
final case class Probed[A](
    executor: String,
    millis: Long,
    result: Either[(String, String), A],
)

/** Calls on executors, to check what is installed there. */
object ExecutorProbe {

  // Interpreters that an executor has run, by application and required packages.
  private val known = TrieMap.empty[(String, String, Seq[String]), Unit]

  /**
   * Checks the interpreter of an executor before the first inference of an application. It is not
   * checked again in local mode if it is the driver's, which has been checked.
   *
   * @param executable the interpreter of the executors
   * @param python the driver's Python, `major.minor`
   * @param packages import names that the tasks need
   * @throws SightlineException PYTHON_NOT_FOUND, PYTHON_UNUSABLE, PYSPARK_MISMATCH,
   *   PYTHON_VERSION_MISMATCH or MISSING_PACKAGE, with the executor's host
   */
  def requireOnce(
      spark: SparkSession,
      executable: String,
      python: String,
      packages: Seq[String],
  ): Unit = {
    val context = spark.sparkContext
    val key = (context.applicationId, executable, packages)
    val isDrivers = context.isLocal && executable == Interpreter.ofDriver(context.getConf)
    if (!isDrivers && !known.contains(key)) {
      val expected = Expected(executable, context.version, python, packages)
      val answer = run(context, Seq.empty)(() => expected.check()).head
      answer.result.left.foreach { case (condition, message) =>
        throw SightlineException.relayed(condition, message).get
      }
      known.put(key, ()): Unit
    }
  }

  /**
   * Runs `call` once on each of the executors, or on any one if `executors` is empty. Spark may run it
   * on another executor than the chosen one if that one stays busy.
   */
  def run[A](context: SparkContext, executors: Seq[Executor])(
      call: () => A
  ): Seq[Probed[A]] = {
    // A call without a location gets any executor.
    val places = if (executors.isEmpty) Seq(Nil) else executors.map(one => Seq(one.location))
    SessionArchives.outsideSessions {
      val rdd = context.makeRDD(places.zipWithIndex.map { case (at, index) => index -> at })
      // A closure over `call` only: this object is not sent.
      val task = attempt[A](call)
      rdd.mapPartitions(ones => ones.map(_ => task())).collect().toSeq
    }
  }

  private def attempt[A](call: () => A): () => Probed[A] = () => {
    val millis = System.currentTimeMillis
    val result =
      try Right(call())
      catch { case error: SightlineException => Left(error.code -> error.detail) }
    Probed(SparkEnv.get.executorId, millis, result)
  }

  /** What the tasks need of an executor's interpreter. */
  final case class Expected(
      executable: String,
      sparkVersion: String,
      python: String,
      packages: Seq[String],
  ) {

    /**
     * Checks the interpreter of this machine.
     *
     * @throws SightlineException as [[requireOnce]]
     */
    def check(): Unit = {
      val here = s"$executable on ${Executors.here}"
      val found = Preflight.onExecutor(executable, here, sparkVersion)
      if (found.python != python) {
        throw SightlineException(
          "PYTHON_VERSION_MISMATCH",
          "executable" -> here,
          "found" -> found.python,
          "expected" -> python,
        )
      }
      val missing = packages.filterNot(found.packages.contains)
      if (missing.nonEmpty) {
        throw SightlineException(
          "MISSING_PACKAGE",
          "python" -> here,
          "packages" -> missing,
          "purpose" -> "the tasks",
          "hint" -> ("Install it there, or ship an environment with --archives and set " +
            "spark.pyspark.python to it."),
        )
      }
    }
  }
}
