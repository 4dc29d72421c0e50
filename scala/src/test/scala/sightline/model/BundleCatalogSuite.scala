package sightline.model

import java.nio.file.{Files, Path}
import java.util.zip.{ZipEntry, ZipOutputStream}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}

final class BundleCatalogSuite extends AnyFunSuite {

  private def catalog(root: Option[Path] = None): BundleCatalog =
    new BundleCatalog(root.map(_.toString), new Configuration)

  private def refused(model: String, root: Option[Path] = None): SightlineException = {
    val error = intercept[SightlineException](catalog(root).find(model))
    assert(error.exitStatus == 2)
    assert(error.getMessage.linesIterator.size == 1)
    error
  }

  private def zip(target: Path, entries: (String, Array[Byte])*): Path = {
    Using.resource(new ZipOutputStream(Files.newOutputStream(target))) { out =>
      entries.foreach { case (name, bytes) =>
        out.putNextEntry(new ZipEntry(name))
        out.write(bytes)
      }
    }
    target
  }

  private def entries(bundle: Path, prefix: String = ""): Seq[(String, Array[Byte])] =
    Using.resource(Files.list(bundle)) {
      _.iterator.asScala
        .map(file => s"$prefix${file.getFileName}" -> Files.readAllBytes(file))
        .toList
    }

  test("a name is searched for in the models root") {
    withFolder { models =>
      val folder = TestBundle.in(models, "mine")
      val bundle = catalog(Some(models)).find("mine").bundle
      assert(bundle.folder == folder)
      assert(bundle.manifest.name == "pets")
    }
  }

  test("an unknown name lists the known ones, sorted") {
    withFolder { models =>
      TestBundle.in(models, "zebra")
      TestBundle.in(models, "ape")
      write(models, "no_bundle/readme.txt", "")
      val error = refused("resnet5", Some(models))
      assert(error.code == "UNKNOWN_MODEL")
      assert(error.getMessage.matches("UNKNOWN_MODEL: 'resnet5'\\. Known: .*\\."))
      val known = error.getMessage.replaceAll(".*Known: (.*)\\.", "$1").split(", ").toSeq
      assert(known == known.sorted)
      assert(Seq("ape", "zebra").forall(known.contains))
      assert(!known.contains("no_bundle"))
    }
  }

  test("a bundle is found by its path, and by a Hadoop URI") {
    withFolder { models =>
      val folder = TestBundle.in(models, "a b%20ü")
      Seq(folder.toString, s"$folder/", s"file://$folder", s"file:$folder").foreach { path =>
        assert(catalog().find(path).bundle.manifest.name == "pets")
      }
    }
  }

  test("a path that does not exist raises UNKNOWN_MODEL") {
    withFolder(models => assert(refused(s"$models/none").code == "UNKNOWN_MODEL"))
    withFolder(models => assert(refused(s"$models/none.zip").code == "UNKNOWN_MODEL"))
    assert(refused("").code == "UNKNOWN_MODEL")
  }

  test("a folder without a manifest is not a bundle") {
    withFolder { folder =>
      val error = refused(folder.toString)
      assert(error.getMessage.startsWith(s"INVALID_BUNDLE: $folder: it contains no model.json."))
    }
  }

  test("a zip is a bundle, with or without a folder in it") {
    withFolder { models =>
      val bundle = TestBundle.in(models)
      val flat = zip(models.resolve("flat.zip"), entries(bundle): _*)
      val nested = zip(models.resolve("nested.zip"), entries(bundle, "pets/"): _*)
      val expected = Bundle.open(bundle).sha256
      assert(catalog().find(flat.toString).bundle.sha256 == expected)
      assert(catalog().find(nested.toString).bundle.sha256 == expected)
      assert(catalog().find(s"file://$nested").bundle.sha256 == expected)
    }
  }

  test("a zip with an entry outside the bundle is rejected") {
    withFolder { models =>
      val bundle = TestBundle.in(models)
      val evil = zip(
        models.resolve("evil.zip"),
        entries(bundle) :+ ("../../escaped.txt" -> Array[Byte](1)): _*
      )
      val error = refused(evil.toString)
      assert(error.code == "INVALID_BUNDLE")
      assert(error.getMessage.contains("'../../escaped.txt' is outside the bundle"))
    }
  }

  test("a small zip that unpacks to a large file is rejected before the file is complete") {
    withFolder { models =>
      val bundle = TestBundle.in(models, "pets")
      val zeros = ("zeros.bin", new Array[Byte](80 << 20))
      val bomb = zip(models.resolve("bomb.zip"), entries(bundle) :+ zeros: _*)
      assert(Files.size(bomb) < (1 << 20))
      val error = refused(bomb.toString)
      assert(error.code == "INVALID_BUNDLE")
      assert(error.getMessage.contains("unpacks to more than 67108864"))

      val halves = Seq("a", "b").map(name => (name, new Array[Byte](40 << 20)))
      val together = zip(models.resolve("together.zip"), entries(bundle) ++ halves: _*)
      assert(refused(together.toString).getMessage.contains("unpacks to more than 67108864"))
    }
  }

  test(
    "a file that is not a zip, or a zip without a bundle, is rejected with an error of one line"
  ) {
    withFolder { models =>
      assert(refused(write(models, "a.zip", "no zip").toString).code == "INVALID_BUNDLE")
      assert(refused(write(models, "b.zip", "").toString).code == "INVALID_BUNDLE")
      val other = zip(models.resolve("c.zip"), "readme.txt" -> Array[Byte](1))
      assert(refused(other.toString).getMessage.contains("contains no model.json"))
    }
  }

  test("a zip with a changed byte is rejected") {
    withFolder { models =>
      val changed = entries(TestBundle.in(models)).map {
        case ("model.onnx", _) => "model.onnx" -> "grapf".getBytes
        case same => same
      }
      val error = refused(zip(models.resolve("x.zip"), changed: _*).toString)
      assert(error.getMessage.contains("BUNDLE_CORRUPT"))
      assert(error.getMessage.contains("'model.onnx'"))
    }
  }
}
