package sightline.doctor

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

final class FindingsSuite extends AnyFunSuite {

  private def conf(settings: (String, String)*): SparkConf =
    new SparkConf(false).setAll(settings)

  private val slow = Finding("SLOW", Severity.Warning, "slow", "it is slow", "wait")
  private val fine = Finding("PYTHON", Severity.Ok, "Python 3.11", where = "executor 1 (host)")

  test("an error is divided into what was found and the fix") {
    val found = Finding.of("DISK_FULL", "/a.b/c is full (0.5 MB). Free some space. Or wait.")
    assert(found.found == "/a.b/c is full (0.5 MB).")
    assert(found.fix == "Free some space. Or wait.")
  }

  test("the text has the blockers first, and ends with the summary") {
    val full = Finding.of("DISK_FULL", "full. Wait.")
    assert(
      Findings(Seq(fine, slow, full)).text.linesIterator.toSeq == Seq(
        "blocker  DISK_FULL (driver): full.",
        "           why: The run would stop with this error.",
        "           fix: Wait.",
        "warning  SLOW (driver): slow",
        "           why: it is slow",
        "           fix: wait",
        "ok       PYTHON (executor 1 (host)): Python 3.11",
        "1 blocker, 1 warning: fix DISK_FULL first.",
      )
    )
    assert(Findings(Seq(fine)).summary == "1 checks, no blocker and no warning.")
  }

  test("the JSON has the same findings") {
    assert(Finding.parse(Findings(Seq(fine, slow)).json) == Seq(slow, fine))
  }

  test("a clock that differs by more than 5 seconds is a warning") {
    def skewed(time: Long): Finding = ExecutorChecks.clock("executor 1", time, 100000, 101000)
    assert(skewed(95000).name == "CLOCK")
    assert(skewed(106000).name == "CLOCK")
    assert(skewed(94999).found == "the clock differs from the driver's by 5.0 s")
    assert(skewed(116000).found == "the clock differs from the driver's by 15.0 s")
    assert(skewed(116000).severity == Severity.Warning)
  }

  test("GPUs that the tasks of an executor cannot use are a warning") {
    def names(gpus: String, cores: String): Seq[String] = SettingChecks
      .findings(
        conf(
          "spark.master" -> "spark://host:7077",
          "spark.executor.cores" -> cores,
          "spark.executor.resource.gpu.amount" -> gpus,
          "spark.task.resource.gpu.amount" -> "0.25",
        ),
        "auto",
      )
      .map(_.name)
    assert(names("2", "4") == Seq("GPUS_IDLE", "DIRECT_MEMORY"))
    assert(names("1", "4") == Seq("DIRECT_MEMORY"))
  }

  test("--device cuda needs GPUs for the tasks of a cluster, not in local mode") {
    def names(master: String): Seq[String] =
      SettingChecks.findings(conf("spark.master" -> master), "cuda").map(_.name)
    assert(names("yarn") == Seq("DEVICE_UNAVAILABLE"))
    assert(names("local[1]") == Seq("DIRECT_MEMORY"))
  }

  test("a limit of the Python workers' memory with GPUs is a warning") {
    val found = MemorySettings.findings(
      conf(
        "spark.master" -> "yarn",
        "spark.executor.pyspark.memory" -> "2g",
        "spark.executor.resource.gpu.amount" -> "1",
      )
    )
    assert(found.map(_.name) == Seq("ADDRESS_SPACE_LIMITED"))
    assert(found.head.fix.contains("spark.executor.memoryOverhead"))
  }

  test("the direct memory must suffice for the tasks of an executor") {
    def found(options: String): Finding =
      MemorySettings
        .findings(
          conf(
            "spark.master" -> "spark://host:7077",
            "spark.executor.cores" -> "8",
            "spark.executor.extraJavaOptions" -> options,
          )
        )
        .head
    assert(found("").name == "DIRECT_MEMORY_SMALL")
    assert(found("").found.contains("8 tasks may need 1536 MiB"))
    assert(found("").fix.contains("-XX:MaxDirectMemorySize=1536m"))
    assert(found("-XX:MaxDirectMemorySize=2g").name == "DIRECT_MEMORY")
  }

  test("the workers' memory is the container's without the heap, for each task") {
    val mib = 1L << 20
    val yarn = conf(
      "spark.master" -> "yarn",
      "spark.executor.cores" -> "4",
      "spark.executor.memory" -> "8g",
    )
    assert(MemorySettings.workerBytes(yarn) == Some(819 * mib / 4))
    assert(
      MemorySettings.workerBytes(yarn.set("spark.executor.memoryOverhead", "2g")) ==
        Some(512 * mib)
    )
    assert(MemorySettings.workerBytes(conf("spark.master" -> "local[2]")).isEmpty)
  }
}
