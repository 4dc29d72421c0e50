package sightline.cli

import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class FailureSuite extends AnyFunSuite {

  private def failing(error: Throwable): Output = Output.of(Failure.statusOf(throw error))

  test("a successful run has exit status 0 and prints no error") {
    assert(Output.of(Failure.statusOf(())) == Output(0, "", ""))
  }

  test("the exit status is 2 for wrong use and 1 for a failed run; the error is one line") {
    assert(
      failing(SightlineException("NO_SQL")) ==
        Output(2, "", "sightline: NO_SQL: there is no SQL statement to run.\n")
    )
    assert(
      failing(SightlineException("RUN_FAILED", "reason" -> "It broke.")) ==
        Output(1, "", "sightline: RUN_FAILED: It broke.\n")
    )
  }

  test("a SightlineException is found in the causes of another exception") {
    val cause = SightlineException("INVALID_SQL", "reason" -> "Do this.")
    val wrapped = new RuntimeException("outer", new IllegalStateException("middle", cause))
    assert(failing(wrapped) == Output(2, "", "sightline: INVALID_SQL: Do this.\n"))
  }

  test("an error from a Python worker is printed without its traceback") {
    val message =
      """Job aborted: Traceback (most recent call last):
        |  File "worker.py", line 1, in main
        |sightline.errors.SightlineError: DEVICE_UNAVAILABLE: cuda was asked for. Use cpu.
        |
        |	at org.apache.spark.api.python.BasePythonRunner""".stripMargin
    assert(
      failing(new RuntimeException("outer", new RuntimeException(message))) ==
        Output(2, "", "sightline: DEVICE_UNAVAILABLE: cuda was asked for. Use cpu.\n")
    )
  }

  test("the error of an image that stopped a run is printed without Spark's prefix and SQLSTATE") {
    val message = "[USER_RAISED_EXCEPTION] IMAGE_FAILED: /a.jpg: EMPTY: no bytes. SQLSTATE: P0001"
    assert(
      failing(new RuntimeException("Job aborted.", new RuntimeException(message))) ==
        Output(1, "", "sightline: IMAGE_FAILED: /a.jpg: EMPTY: no bytes.\n")
    )
  }

  test("any other exception has status 1, its stack trace, and its root cause in the last line") {
    val output = failing(new RuntimeException("outer", new IllegalStateException("inner\nmore")))
    assert(output.status == 1)
    assert(output.err.contains("\tat "))
    assert(output.lastError == "sightline: RUN_FAILED: inner")
  }
}
