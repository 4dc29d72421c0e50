package org.apache.spark.sql.sightline

import org.apache.spark.sql.types.{BinaryType, IntegerType, StringType, StructType}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestPython

final class PythonCommandSuite extends AnyFunSuite {

  private val returnType =
    new StructType().add("label", StringType).add("bytes", BinaryType).add("n", IntegerType)

  // A module that exists only in this program: the factory returns its arguments.
  private val Unpickle =
    """import json, pickle, sys, types
      |module = types.ModuleType("made.up")
      |module.factory = lambda spec: ["called with", spec]
      |sys.modules["made"] = types.ModuleType("made")
      |sys.modules["made.up"] = module
      |called, type_ = pickle.loads(sys.stdin.buffer.read())
      |print(json.dumps([called, type_.simpleString()]))""".stripMargin

  test("Python unpickles the factory's call and the return type") {
    val command = PythonCommand("made.up", "factory", """{"threads": 1}""", returnType)
    assert(
      TestPython.run(Unpickle, command) ==
        """[["called with", "{\"threads\": 1}"], "struct<label:string,bytes:binary,n:int>"]"""
    )
  }

  test("a spec with any characters and of any length arrives unchanged") {
    val spec = "{\"path\": \"ünï/😀\\n\", \"quote\": \"'\"}\n" + "x" * 300_000
    val same = Unpickle.linesIterator.toSeq.init :+ "print(called[1] == SPEC)"
    val program =
      s"SPEC = ${TestPython.literal(spec.take(60))} + ${TestPython.literal(spec.slice(60, 120))} + 'x' * " +
        s"${spec.length - 120}\n" + same.mkString("\n")
    assert(TestPython.run(program, PythonCommand("made.up", "factory", spec, returnType)) == "True")
  }

  test("the pickle contains only two references, two texts and their calls") {
    val opcodes =
      """import pickletools, sys
        |print(*(op.name for op, _, _ in pickletools.genops(sys.stdin.buffer.read())))""".stripMargin
    assert(
      TestPython.run(opcodes, PythonCommand("made.up", "factory", "{}", returnType)) ==
        "PROTO GLOBAL BINUNICODE TUPLE1 REDUCE GLOBAL BINUNICODE TUPLE1 REDUCE TUPLE2 STOP"
    )
  }

  test("a newline in a name is rejected, because it could add opcodes to the pickle") {
    Seq("os\nsystem\n" -> "factory", "made.up" -> "factory\nX", "made.up" -> "", "a b" -> "c")
      .foreach { case (module, factory) =>
        assertThrows[IllegalArgumentException] {
          PythonCommand(module, factory, "{}", returnType)
        }
      }
  }
}
