package sightline.source

import java.nio.file.{Files, Path}

import scala.sys.process.Process

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path as HadoopPath
import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{SightlineException, TestPython}

final class ImageListingSuite extends AnyFunSuite {

  private def list(
      location: String,
      labels: FolderLabels = FolderLabels.Auto,
      limit: Option[Int] = None,
      filter: FileFilter = FileFilter(include = Some(NamePatterns("*"))),
  ): IndexedSeq[ImageFile] =
    ImageListing.list(location, labels, limit, filter, new Configuration).files

  private def names(folder: Path): Seq[String] = list(folder.toString).map(_.relativePath)

  test("a folder is listed recursively and sorted by path") {
    withFolder { folder =>
      Seq("b.jpg", "a/y.png", "a/b/z", "a/x.bin").foreach(write(folder, _, "12345"))
      val files = list(folder.toString)
      assert(files.map(_.relativePath) == Seq("a/b/z", "a/x.bin", "a/y.png", "b.jpg"))
      assert(files.map(_.path) == files.map(file => s"$folder/${file.relativePath}"))
      assert(files.map(_.length).distinct == Seq(5L))
      val written = Files.getLastModifiedTime(folder.resolve("b.jpg")).toMillis
      assert(files.last.modificationTime == written)
    }
  }

  test("names that start with a dot or an underscore are skipped, also in globs") {
    withFolder { folder =>
      Seq("a.jpg", ".a.jpg", "_SUCCESS", "_run/run.json", ".git/b.jpg", "s/_b.jpg", "s/c.jpg")
        .foreach(write(folder, _, ""))
      assert(names(folder) == Seq("a.jpg", "s/c.jpg"))
      assert(list(s"$folder/*").map(_.relativePath) == Seq("a.jpg", "s/c.jpg"))
      assert(list(s"$folder/*/*.j*").map(_.relativePath) == Seq("s/c.jpg"))
    }
  }

  test("a glob lists the files it matches, and relative paths start at the glob's fixed part") {
    withFolder { folder =>
      Seq("2023/a.jpg", "2023/b.png", "2024/c.jpg", "2024/x/d.jpg", "e.jpg")
        .foreach(write(folder, _, ""))
      assert(list(s"$folder/*/*.jpg").map(_.relativePath) == Seq("2023/a.jpg", "2024/c.jpg"))
      assert(
        list(s"$folder/{2024,2025}").map(_.relativePath) == Seq("2024/c.jpg", "2024/x/d.jpg")
      )
    }
  }

  test("a glob without matches is rejected with PATH_NOT_FOUND") {
    withFolder { folder =>
      val error = intercept[SightlineException](list(s"$folder/*.jpg"))
      assert(error.getMessage.startsWith(s"PATH_NOT_FOUND: $folder/*.jpg matches nothing"))
    }
  }

  // python/tests/source/test_listings.py checks the same cases.
  private val cases = JsonMethods.parse(
    Files.readString(TestPython.root.resolve("python/tests/source/listings.json"))
  )

  private def make(folder: Path, one: JValue): Unit = {
    one.\("files").children.foreach {
      case JString(name) => write(folder, name, "x"): Unit; case _ => ()
    }
    fields(one \ "texts").foreach { case (name, text) => write(folder, name, text): Unit }
    fields(one \ "links").foreach { case (name, target) =>
      Files.createSymbolicLink(folder.resolve(name), Path.of(target)): Unit
    }
  }

  private def fields(json: JValue): Seq[(String, String)] = json match {
    case JObject(all) => all.collect { case (name, JString(value)) => name -> value }
    case _ => Nil
  }

  private def text(one: JValue, name: String): Option[String] =
    Option(one \ name).collect { case JString(value) => value }

  private def texts(one: JValue, name: String): Seq[String] =
    (one \ name).children.collect { case JString(value) => value }

  cases.children.foreach { one =>
    test(text(one, "case").mkString) {
      withFolder { folder =>
        make(folder, one)
        val found = ImageListing.list(
          s"$folder/${text(one, "list").mkString}".stripSuffix("/."),
          FolderLabels.Auto,
          None,
          FileFilter(
            text(one, "include").map(NamePatterns(_)),
            text(one, "exclude").map(NamePatterns(_)),
          ),
          new Configuration,
        )
        assert(found.files.map(_.relativePath).sorted == texts(one, "rows").sorted)
        val leftOut = (one \ "left_out") match {
          case JObject(all) => all.collect { case (ending, JInt(n)) => ending -> n.toLong }.toMap
          case _ => Map.empty[String, Long]
        }
        assert(found.leftOut == leftOut)
        val passedOver = found.outputs.map(_.stripPrefix(s"$folder/"))
        assert(passedOver.sorted == texts(one, "passed_over"))
      }
    }
  }

  test("the listing of a single file has one entry") {
    withFolder { folder =>
      val file = write(folder, "a.jpg", "x")
      assert(list(file.toString).map(f => (f.path, f.relativePath)) == Seq((s"$file", "a.jpg")))
    }
  }

  test("the error for a path that does not exist has the path") {
    withFolder { folder =>
      val error = intercept[SightlineException](list(s"$folder/nothing"))
      assert(error.code == "PATH_NOT_FOUND")
      assert(error.exitStatus == 2)
      assert(error.getMessage.contains(s"$folder/nothing does not exist"))
    }
  }

  test("labels are the names of subfolders, of any parent folder, or none, by FolderLabels") {
    withFolder { folder =>
      Seq("top.jpg", "cat/a.jpg", "dog/big/b.jpg").foreach(write(folder, _, ""))
      def labels(how: FolderLabels) = list(folder.toString, how).map(_.label)
      val own = Some(folder.getFileName.toString)
      assert(labels(FolderLabels.Auto) == Seq(Some("cat"), Some("big"), None))
      assert(labels(FolderLabels.Folder) == Seq(Some("cat"), Some("big"), own))
      assert(labels(FolderLabels.Absent) == Seq(None, None, None))
    }
  }

  test("the error for an unknown value of labels lists the known ones") {
    val error = intercept[SightlineException](FolderLabels.parse("maybe"))
    assert(error.getMessage.contains("UNKNOWN_LABELS: labels 'maybe'"))
    assert(error.getMessage.contains("auto, folder, none"))
  }

  test("a limit lists only the first files") {
    withFolder { folder =>
      ('a' to 'f').foreach(name => write(folder, s"$name.jpg", ""))
      assert(
        list(folder.toString, limit = Some(2)).map(_.relativePath) == Seq("a.jpg", "b.jpg")
      )
    }
  }

  private val odd =
    Seq("a b.jpg", "50%.jpg", "a%20b.jpg", "#1?.jpg", "ü😀.jpg", "x:y.jpg", "a,b.jpg", "'\".jpg")

  test("file names can contain spaces, %, #, ?, colons, quotes and any Unicode letters") {
    withFolder { folder =>
      odd.foreach(write(folder, _, ""))
      assert(names(folder).toSet == odd.toSet)
      assert(list(folder.toString).map(_.path).toSet == odd.map(n => s"$folder/$n").toSet)
    }
  }

  test("folder names can contain the same characters, including the listed folder's name") {
    withFolder { folder =>
      val listed = folder.resolve("my photos 100% #1 ü:😀")
      odd.foreach(name => write(listed, s"$name/a.jpg", ""))
      assert(list(listed.toString).flatMap(_.label).toSet == odd.toSet)
    }
  }

  test("an existing folder whose name looks like a glob is listed as a folder") {
    withFolder { folder =>
      write(folder, "photos [2020] {a}/cat/x*.jpg", "")
      val files = list(s"$folder/photos [2020] {a}")
      assert(files.map(f => (f.relativePath, f.label)) == Seq(("cat/x*.jpg", Some("cat"))))
    }
  }

  test("a dangling link is listed, so that reading it gives an error row") {
    withFolder { folder =>
      Files.createSymbolicLink(folder.resolve("gone.jpg"), folder.resolve("nowhere"))
      write(folder, "a.jpg", "x")
      assert(names(folder) == Seq("a.jpg", "gone.jpg"))
    }
  }

  test("a named pipe is not listed, because opening it would block") {
    withFolder { folder =>
      write(folder, "a.jpg", "x")
      assert(Process(Seq("mkfifo", folder.resolve("pipe.jpg").toString)).! == 0)
      assert(names(folder) == Seq("a.jpg"))
    }
  }

  test("a file name that is not UTF-8 is listed, and reading it gives NOT_FOUND") {
    assume(sys.props("sun.jnu.encoding") == "UTF-8", "needs a UTF-8 locale")
    withFolder { folder =>
      write(folder, "ok.jpg", "1")
      val code = s"open(b'$folder/\\xe9t\\xe9.jpg', 'wb').close()"
      assert(Process(Seq("python3", "-c", code)).! == 0)
      val files = list(folder.toString)
      assert(files.size == 2)
      val lost = files.filterNot(_.relativePath == "ok.jpg").map(_.path)
      val read = FileBytes.read(new HadoopPath(lost.head), None, 100L, new Configuration)
      assert(read.left.map(_.code) == Left("NOT_FOUND"))
    }
  }
}
