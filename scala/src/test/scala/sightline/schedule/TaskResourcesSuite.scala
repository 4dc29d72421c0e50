package sightline.schedule

import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

/** The amounts of a task; `tests/cluster` runs them on a cluster. */
final class TaskResourcesSuite extends AnyFunSuite with LocalSpark {

  test("a part of a GPU is a number from 0 to 1") {
    val valid = Seq("0", "0.25", "1").map(TaskResources.gpus("gpus_per_task", _))
    assert(valid == Seq(0.0, 0.25, 1.0))
    Seq("-0.1", "1.5", "NaN", "a quarter").foreach { text =>
      val error = intercept[SightlineException](TaskResources.gpus("gpus_per_task", text))
      assert(
        error.getMessage == s"INVALID_OPTION: gpus_per_task is '$text'. It must be a number from 0 to 1."
      )
    }
  }

  test("the cores are a whole number of at least 0") {
    assert(Seq("0", "4").map(TaskResources.cpus("cpus_per_task", _)) == Seq(0, 4))
    Seq("-1", "1.5").foreach { text =>
      val error = intercept[SightlineException](TaskResources.cpus("cpus_per_task", text))
      assert(error.code == "INVALID_OPTION")
    }
  }

  test("local mode has no resources for each task, and the default needs none") {
    TaskResources().check(spark)
    val error = intercept[SightlineException](TaskResources(gpus = 0.25, cpus = 2).check(spark))
    assert(error.code == "TASK_RESOURCES_UNAVAILABLE")
    assert(
      error.getMessage.contains(
        s"gpus-per-task 0.25 and cpus-per-task 2 was requested, but master ${spark.sparkContext.master} " +
          "gives all tasks the same resources"
      )
    )
  }
}
