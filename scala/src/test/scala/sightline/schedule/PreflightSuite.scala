package sightline.schedule

import java.nio.file.attribute.PosixFilePermissions
import java.nio.file.{Files, Path}

import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.model.{Backend, Bundle, TestBundle}
import sightline.{BuildInfo, ColourBundle, SightlineException, TestPython}

final class PreflightSuite extends AnyFunSuite {

  private val spark = BuildInfo.sparkVersion

  private val complete =
    Seq("numpy", "pyarrow", "PIL", "safetensors", "onnxruntime", "torch", "timm")

  /** The report of an interpreter that has `packages`, as JSON. */
  private def answer(
      packages: Seq[String],
      pyspark: Option[String] = Some(spark),
      backends: JObject = JObject(),
  ): String =
    JsonMethods.compact(
      ("python" -> "3.12") ~
        ("pyspark" -> pyspark) ~
        ("packages" -> JObject(packages.map(_ -> JString("1.0")).toList)) ~
        ("backends" -> backends) ~
        ("missing" -> JNull)
    )

  /** A program that replaces an interpreter and prints `out` and `err`. */
  private def interpreter(folder: Path, out: String, err: String = "", status: Int = 0): String = {
    // Each program has its own path, because Preflight keeps the reports by path.
    val own = Files.createTempDirectory(folder, "python")
    write(own, "out", out)
    write(own, "err", err)
    val script = s"#!/bin/sh\necho x >> $own/starts\ncat $own/out\ncat $own/err >&2\nexit $status\n"
    val file = write(own, "python", script)
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"))
    file.toString
  }

  private def refused(
      executable: String,
      backend: String = "onnx",
      bundle: Bundle = ColourBundle.bundle,
  ): SightlineException = {
    val error =
      intercept[SightlineException](
        Preflight.check(executable, spark, Inference(bundle, InferenceSettings(backend)))
      )
    assert(error.exitStatus == 2)
    assert(error.getMessage.linesIterator.size == 1)
    assert(error.getMessage.contains(executable))
    assert(error.getMessage.contains("PYSPARK_PYTHON"))
    error
  }

  test("the interpreter of this build passes, and reports its versions") {
    val found =
      Preflight.check(
        TestPython.executable,
        spark,
        Inference(ColourBundle.bundle, InferenceSettings()),
      )
    assert(found.packages("pyspark") == spark)
    assert(
      found.python == TestPython.run(
        "import sys; print(f'{sys.version_info.major}.{sys.version_info.minor}')"
      )
    )
  }

  test("jar and worker have the same protocol version") {
    val python =
      TestPython.run("from sightline.version import PROTOCOL; print(PROTOCOL)")
    assert(python == WorkerSpec.Protocol.toString)
  }

  test("the error for a missing interpreter has its path") {
    val error = refused("/nowhere/python")
    assert(error.code == "PYTHON_NOT_FOUND")
    assert(error.getMessage.contains("'/nowhere/python' cannot be started"))
  }

  test("a file that cannot be run is not an interpreter") {
    withFolder { folder =>
      assert(refused(write(folder, "python", "text").toString).code == "PYTHON_NOT_FOUND")
      assert(refused(folder.toString).code == "PYTHON_NOT_FOUND")
    }
  }

  test("the error for a failed interpreter has the last line of its error output") {
    withFolder { folder =>
      val error = refused(interpreter(folder, "", "a trace\nSyntaxError: old Python\n", 1))
      assert(error.code == "PYTHON_UNUSABLE")
      assert(error.getMessage.contains("(SyntaxError: old Python)"))
    }
    withFolder { folder =>
      assert(refused(interpreter(folder, "", "", 7)).getMessage.contains("(exit status 7)"))
    }
  }

  test("a program with other output is not an interpreter") {
    Seq("", "hello\n", "{}", "[1]", "{").foreach { out =>
      withFolder { folder =>
        assert(refused(interpreter(folder, out)).code == "PYTHON_UNUSABLE")
      }
    }
  }

  test("the error lists the missing packages") {
    withFolder { folder =>
      val error = refused(interpreter(folder, answer(Seq("numpy", "PIL", "safetensors"))))
      assert(error.code == "MISSING_PACKAGE")
      assert(
        error.getMessage.contains(
          "has no pyarrow, onnxruntime, needed by backend 'onnx'."
        )
      )
    }
  }

  test("each backend requires its runtime and the library of the model's code") {
    withFolder { folder =>
      val torch: JObject = ("file" -> "model.onnx") ~ ("architecture" -> "timm:resnet18")
      val changes = Seq[(String, JValue)]("variants" -> ("pytorch" -> torch))
      val bundle = Bundle.open(TestBundle.in(folder, changes = changes))
      val without =
        (package_ : String) => interpreter(folder, answer(complete.filter(_ != package_)))
      assert(refused(without("timm"), "pytorch", bundle).getMessage.contains("has no timm,"))
      assert(refused(without("torch"), "pytorch", bundle).getMessage.contains("has no torch,"))
      assert(
        Preflight
          .check(without("onnxruntime"), spark, Inference(bundle, InferenceSettings("pytorch")))
          .python == "3.12"
      )
      assert(
        Preflight
          .check(without("torch"), spark, Inference(bundle, InferenceSettings()))
          .python == "3.12"
      )
    }
  }

  test("a backend of another package is known if the interpreter reports it") {
    val tvm: JObject =
      ("package" -> "tvm") ~ ("variant" -> "onnx") ~ ("precisions" -> Seq("fp32", "bf16"))
    withFolder { folder =>
      val listed = interpreter(folder, answer(complete, backends = JObject("tvm" -> tvm)))
      assert(
        Preflight.backends(listed, "tvm") ==
          Backend.all :+ Backend("tvm", "onnx", Seq("fp32", "bf16"), "tvm")
      )
      assert(refused(listed, "tvm").getMessage.contains("has no tvm, needed by backend 'tvm'"))
      val has = interpreter(folder, answer(complete :+ "tvm", backends = JObject("tvm" -> tvm)))
      Preflight
        .check(has, spark, Inference(ColourBundle.bundle, InferenceSettings("tvm"))): Unit
      Inference(ColourBundle.bundle, InferenceSettings("tvm")).requireMode(has)
      val wrong = intercept[SightlineException](
        Inference(ColourBundle.bundle, InferenceSettings("tvn")).requireMode(has)
      )
      assert(
        wrong.getMessage == "UNKNOWN_BACKEND: backend 'tvn'. Known: onnx, pytorch, openvino, python, tvm."
      )
      // The interpreter is not started for a built-in backend.
      Inference(ColourBundle.bundle).requireMode("/nowhere/python")
    }
  }

  test("the interpreter of this build reports the same built-in backends as the jar") {
    val found = Preflight.checkPackages(TestPython.executable, spark).backends
    assert(found.filter(one => Backend.find(one.name).isDefined).toSet == Backend.all.toSet)
  }

  test("a pyspark of another version than Spark's is rejected, and the error has both versions") {
    withFolder { folder =>
      val error = refused(interpreter(folder, answer(complete, Some("3.5.0"))))
      assert(error.code == "PYSPARK_MISMATCH")
      assert(error.getMessage.contains(s"has pyspark 3.5.0, but this is Spark $spark"))
      val none = refused(interpreter(folder, answer(complete, None)))
      assert(none.getMessage.contains("has no pyspark"))
    }
  }

  /** The number of times that the interpreter was started. */
  private def starts(executable: String): Int =
    Files.readAllLines(Path.of(executable).resolveSibling("starts")).size

  private def install(executable: String, packages: Seq[String]): Unit =
    write(Path.of(executable).getParent, "out", answer(packages)): Unit

  test("a package that is installed after an error is found, and a successful report is kept") {
    withFolder { folder =>
      val python = interpreter(folder, answer(complete.filter(_ != "onnxruntime")))
      assert(refused(python).getMessage.contains("has no onnxruntime,"))
      install(python, complete)
      (1 to 3).foreach { _ =>
        Preflight.check(python, spark, Inference(ColourBundle.bundle, InferenceSettings())): Unit
      }
      assert(starts(python) == 2)
      // Another backend requires a package that the kept report lacks.
      assert(refused(python, "openvino").getMessage.contains("has no openvino,"))
      install(python, complete :+ "openvino")
      Preflight.check(
        python,
        spark,
        Inference(ColourBundle.bundle, InferenceSettings("openvino")),
      ): Unit
      assert(starts(python) == 4)
    }
  }

  test("an interpreter that was repaired after an error is used") {
    withFolder { folder =>
      val python = interpreter(folder, answer(complete, Some("3.5.0")))
      assert(refused(python).code == "PYSPARK_MISMATCH")
      write(Path.of(python).getParent, "out", "no answer"): Unit
      assert(refused(python).code == "PYTHON_UNUSABLE")
      install(python, complete)
      assert(Preflight.checkPackages(python, spark).packages("numpy") == "1.0")
      Preflight.requirePackages(python, spark, Seq("torch"), "a test", ""): Unit
      assert(starts(python) == 3)
    }
  }

  test("the check for a GPU is repeated after a failure, and not after a success") {
    withFolder { folder =>
      val python = interpreter(folder, """{"cuda": false}""")
      val error = intercept[SightlineException](Preflight.checkCuda(python, "onnx"))
      assert(error.code == "DEVICE_UNAVAILABLE")
      write(Path.of(python).getParent, "out", """{"cuda": true}"""): Unit
      (1 to 3).foreach(_ => Preflight.checkCuda(python, "onnx"))
      assert(starts(python) == 2)
      Preflight.checkCuda(python, "pytorch")
      assert(starts(python) == 3)
    }
  }
}
