package sightline.model

import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.util.HexFormat

import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, SightlineException}

final class BundleSuite extends AnyFunSuite {

  private def refused(folder: Path): SightlineException =
    intercept[SightlineException](Bundle.open(folder))

  test("a bundle's identity is the hash of its manifest") {
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

  test("what Python wrote is opened") {
    val bundle = ColourBundle.bundle
    assert(bundle.labels == Seq("red", "green", "blue"))
    assert(bundle.manifest.variants.keySet == Set("onnx"))
  }

  test("one flipped bit in any file is found, and the file named") {
    Seq("model.onnx", "labels.txt").foreach { file =>
      withFolder { models =>
        val folder = TestBundle.in(models)
        val bytes = Files.readAllBytes(folder.resolve(file))
        bytes(2) = (bytes(2) ^ 1).toByte
        write(folder, file, bytes)
        val error = refused(folder)
        assert((error.code, error.exitStatus) == (("BUNDLE_CORRUPT", 2)))
        assert(error.getMessage.contains(s"$folder: '$file' has sha256"))
      }
    }
  }

  test("a missing file is named") {
    withFolder { models =>
      val folder = TestBundle.in(models)
      Files.delete(folder.resolve("labels.txt"))
      assert(refused(folder).getMessage.contains("BUNDLE_CORRUPT"))
      assert(refused(folder).getMessage.contains("file 'labels.txt' is missing"))
    }
  }

  test("a backend that a bundle has no variant for lists those it has") {
    val error = intercept[SightlineException](ColourBundle.bundle.requireBackend("pytorch"))
    assert((error.code, error.exitStatus) == (("UNKNOWN_BACKEND", 2)))
    assert(error.getMessage.contains("model 'colour' has no variant for backend 'pytorch'"))
    assert(error.getMessage.contains("Known: onnx."))
    assert(ColourBundle.bundle.requireBackend("onnx") == ColourBundle.bundle)
  }
}
