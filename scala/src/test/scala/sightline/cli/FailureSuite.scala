package sightline.cli

import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class FailureSuite extends AnyFunSuite {

  private def failing(error: Throwable): Output = Output.of(Failure.statusOf(throw error))

  test("a run that ends well is 0, and says nothing") {
    assert(Output.of(Failure.statusOf(())) == Output(0, "", ""))
  }

  test("wrong use is 2, a failed run 1, each told in one line") {
    assert(
      failing(SightlineException("NO_SQL")) ==
        Output(2, "", "sightline: NO_SQL: there is no SQL statement to run.\n")
    )
    assert(
      failing(SightlineException("RUN_FAILED", "reason" -> "It broke.")) ==
        Output(1, "", "sightline: RUN_FAILED: It broke.\n")
    )
  }

  test("our own error is found among the causes of another") {
    val cause = SightlineException("INVALID_SQL", "reason" -> "Do this.")
    val wrapped = new RuntimeException("outer", new IllegalStateException("middle", cause))
    assert(failing(wrapped) == Output(2, "", "sightline: INVALID_SQL: Do this.\n"))
  }

  test("what a worker raised is told without the trace around it") {
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

  test("the image that stopped a run is told without Spark's words around it") {
    val message = "[USER_RAISED_EXCEPTION] IMAGE_FAILED: /a.jpg: EMPTY: no bytes. SQLSTATE: P0001"
    assert(
      failing(new RuntimeException("Job aborted.", new RuntimeException(message))) ==
        Output(1, "", "sightline: IMAGE_FAILED: /a.jpg: EMPTY: no bytes.\n")
    )
  }

  test("any other error is 1, with its trace, and its cause in the last line") {
    val output = failing(new RuntimeException("outer", new IllegalStateException("inner\nmore")))
    assert(output.status == 1)
    assert(output.err.contains("\tat "))
    assert(output.lastError == "sightline: RUN_FAILED: inner")
  }
}
