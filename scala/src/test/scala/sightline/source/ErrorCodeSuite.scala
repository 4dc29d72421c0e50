package sightline.source

import org.scalatest.funsuite.AnyFunSuite

import sightline.TestPython

final class ErrorCodeSuite extends AnyFunSuite {

  test("the jar and the worker have the same error codes in the same order") {
    val python = TestPython.run(
      "import typing; from sightline.row_error import ErrorCode; print(*typing.get_args(ErrorCode))"
    )
    assert(ErrorCode.all.mkString(" ") == python)
  }

  test("the stage of read errors is one of the worker's stages") {
    val python = TestPython.run(
      "import typing; from sightline.row_error import Stage; print(*typing.get_args(Stage))"
    )
    val stage = ReadError(ErrorCode.Io, "").toRow.getString(1)
    assert(python.split(" ").contains(stage))
  }
}
