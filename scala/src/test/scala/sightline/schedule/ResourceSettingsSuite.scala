package sightline.schedule

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class ResourceSettingsSuite extends AnyFunSuite {

  private def settings(master: String, others: (String, String)*): ResourceSettings =
    new ResourceSettings(new SparkConf(false).setAll(others).set("spark.master", master))

  test("the cores of an executor are those of the master or of the settings") {
    assert(settings("local").executorCores == Some(1))
    assert(settings("local[3]").executorCores == Some(3))
    assert(settings("local[3,2]").executorCores == Some(3))
    assert(settings("local[*]").executorCores == Some(Runtime.getRuntime.availableProcessors))
    assert(settings("local-cluster[2,4,1024]").executorCores == Some(4))
    assert(settings("yarn").executorCores.isEmpty)
    assert(
      settings("yarn", "spark.executor.cores" -> "8", "spark.task.cpus" -> "3").slots == Some(2)
    )
  }

  test("settings with which no task starts are refused") {
    val error = intercept[SightlineException](
      settings("local[2]", "spark.task.resource.gpu.amount" -> "0.5").requireStart()
    )
    assert(error.code == "TASKS_CANNOT_START")
    assert(error.exitStatus == 2)
    assert(error.getMessage.contains("spark.task.resource.gpu.amount is 0.5"))
    val gpus = Seq("spark.task.resource.gpu.amount", "spark.executor.resource.gpu.amount")
    settings("yarn", gpus.map(_ -> "1"): _*).requireStart()
    settings("local[2]", "spark.task.cpus" -> "2").requireStart()
    intercept[SightlineException](settings("local[2]", "spark.task.cpus" -> "3").requireStart())
  }
}
