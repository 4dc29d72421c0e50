package sightline.model

import java.nio.file.attribute.FileTime
import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.time.Instant
import java.util.HexFormat

import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, SightlineException, TensorBundle}

final class BundleSuite extends AnyFunSuite {

  private def refused(folder: Path): SightlineException =
    intercept[SightlineException](Bundle.open(folder))

  test("sha256 is the hash of the manifest") {
    withFolder { models =>
      val folder = TestBundle.in(models)
      val hash = MessageDigest
        .getInstance("SHA-256")
        .digest(Files.readAllBytes(folder.resolve("model.json")))
      assert(Bundle.open(folder).sha256 == HexFormat.of.formatHex(hash))
    }
  }

  test("labels are in the order of their class ids") {
    withFolder(models => assert(Bundle.open(TestBundle.in(models)).labels == Seq("cat", "dog")))
  }

  test("a bundle that Python wrote can be opened") {
    val bundle = ColourBundle.bundle
    assert(bundle.labels == Seq("red", "green", "blue"))
    assert(bundle.manifest.variants.keySet == Set("onnx"))
  }

  test("one changed bit in any file is detected, and the error has the file's name") {
    Seq("model.onnx", "labels.txt").foreach { file =>
      withFolder { models =>
        val folder = TestBundle.in(models)
        val bytes = Files.readAllBytes(folder.resolve(file))
        bytes(2) = (bytes(2) ^ 1).toByte
        write(folder, file, bytes)
        val error = refused(folder)
        assert((error.code, error.exitStatus) == (("BUNDLE_CORRUPT", 2)))
        assert(error.getMessage.contains(s"$folder cannot be used: '$file' has sha256"))
      }
    }
  }

  test("the error for a missing file has its name") {
    withFolder { models =>
      val folder = TestBundle.in(models)
      Files.delete(folder.resolve("labels.txt"))
      assert(refused(folder).getMessage.contains("BUNDLE_CORRUPT"))
      assert(refused(folder).getMessage.contains("file 'labels.txt' is missing"))
    }
  }

  test("the error for a backend without a variant lists the backends of the bundle") {
    val error = intercept[SightlineException](ColourBundle.bundle.requireBackend("pytorch"))
    assert((error.code, error.exitStatus) == (("NO_VARIANT", 2)))
    assert(error.getMessage.contains("model 'colour' has no variant for backend 'pytorch'"))
    assert(error.getMessage.contains("It has: onnx, openvino."))
    assert(ColourBundle.bundle.requireBackend("onnx").runtime == "onnxruntime")
    assert(ColourBundle.bundle.requireBackend("openvino").runtime == "openvino")
  }

  private val measured: Bundle = {
    val colour = ColourBundle.bundle
    val ways = Seq(CalibratedMode("openvino", "bf16"))
    colour.copy(manifest = colour.manifest.copy(calibrated = ways))
  }

  test("fp32 and calibrated modes are allowed") {
    measured.requirePrecision("onnx", "fp32")
    measured.requirePrecision("openvino", "bf16")
  }

  test("the error for an unsupported precision lists the supported ones and is equal to Python's") {
    val error =
      intercept[SightlineException](measured.requirePrecision("onnx", "bf16"))
    assert(error.exitStatus == 2)
    assert(
      error.getMessage == "UNSUPPORTED_PRECISION: backend onnx does not compute in bf16, only in " +
        "fp32, int8. Use one of those, or --backend pytorch or openvino."
    )
  }

  test("the error for an unknown precision lists the known ones") {
    val error =
      intercept[SightlineException](measured.requirePrecision("onnx", "fp16"))
    assert(error.getMessage == "UNKNOWN_PRECISION: precision 'fp16'. Known: fp32, bf16, int8.")
  }

  test("a backend of another package runs the variant in its declaration") {
    val known = Backend.all :+ Backend("tvm", "onnx", Seq("fp32"), "tvm")
    assert(ColourBundle.bundle.requireBackend("tvm", known).runtime == "tvm")
    ColourBundle.bundle.requirePrecision("tvm", "fp32", known): Unit
    val error = intercept[SightlineException](ColourBundle.bundle.requireBackend("tvm"))
    assert(
      error.getMessage == "UNKNOWN_BACKEND: backend 'tvm'. Known: onnx, pytorch, openvino, python."
    )
    val other = Backend("tensorrt", "engine", Seq("fp32"), "tensorrt")
    val none =
      intercept[SightlineException](ColourBundle.bundle.requireBackend("tensorrt", known :+ other))
    assert(none.getMessage.contains("It has: onnx, openvino, tvm."))
  }

  test("a mode without calibration is rejected, and the error is equal to Python's") {
    val ways = Seq(CalibratedMode("onnx", "int8"), CalibratedMode("openvino", "int8"))
    ways.foreach { case CalibratedMode(backend, precision) =>
      val error = intercept[SightlineException](
        measured.requirePrecision(backend, precision)
      )
      assert(error.exitStatus == 2)
      assert(
        error.getMessage == "NOT_CALIBRATED: model colour has no calibration for " +
          s"'$backend $precision'; calibrated: 'openvino bf16'. " +
          s"Measure it: sightline models calibrate colour --images PHOTOGRAPHS --backend $backend " +
          s"--precision $precision --overwrite."
      )
    }
  }

  test("the error for a missing kind of input or output lists those of the model") {
    val bundle = TensorBundle.iris
    val classes = intercept[SightlineException](bundle.requireClasses())
    assert(
      classes.getMessage ==
        "NO_CLASSES: model iris has no output of class scores; its outputs are y (tensor), sum (tensor)."
    )
    val image = intercept[SightlineException](bundle.requireImage())
    assert(
      image.getMessage ==
        "NO_IMAGE_INPUT: model iris does not take one image per row; its inputs are x (tensor)."
    )
    assert(ColourBundle.bundle.requireClasses().requireImage() == ColourBundle.bundle)
  }

  test("each version of a file is hashed once, even if its bundle is opened several times") {
    withFolder { models =>
      val folder = TestBundle.in(models)
      def hashed(): Long = {
        val before = Bundle.filesHashed.get
        Bundle.open(folder): Unit
        Bundle.filesHashed.get - before
      }
      def settle(): Unit = Seq("model.onnx", "labels.txt").foreach { file =>
        val at = FileTime.from(Instant.now.minusSeconds(60))
        Files.setLastModifiedTime(folder.resolve(file), at): Unit
      }
      settle()
      assert(Seq.fill(3)(hashed()) == Seq(2, 0, 0))
      write(folder, "labels.txt", "cat\ndog\n"): Unit
      // The modification time is so recent that another change may have the same time: hash it again.
      assert(Seq.fill(2)(hashed()) == Seq(1, 1))
      settle()
      assert(Seq.fill(2)(hashed()).last == 0)
    }
  }
}
