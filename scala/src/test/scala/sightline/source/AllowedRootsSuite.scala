package sightline.source

import java.nio.file.Files

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}

final class AllowedRootsSuite extends AnyFunSuite {

  private val hadoop = new Configuration

  private def allows(setting: String, path: String): Boolean =
    AllowedRoots.parse(setting, hadoop).refusal(new Path(path), hadoop).isEmpty

  test("an empty setting allows every path") {
    assert(allows("", "/etc/passwd"))
    assert(allows(" , ", "s3a://bucket/x"))
  }

  test("a root and every path below it are allowed, also a path that does not exist yet") {
    withFolder { folder =>
      write(folder, "in/a.png", "x"): Unit
      Seq("in", "in/", "in/a.png", "in/new/b.png", "in/*.png", "in/x/../a.png").foreach { path =>
        assert(allows(s"$folder/in", s"$folder/$path"), path)
      }
    }
  }

  test("a path outside the roots is rejected, also through links, `..` and other file systems") {
    withFolder { folder =>
      write(folder, "in/a.png", "x"): Unit
      write(folder, "out/b.png", "x"): Unit
      write(folder, "inside/c.png", "x"): Unit
      Files.createSymbolicLink(folder.resolve("in/link"), folder.resolve("out"))
      Files.createSymbolicLink(folder.resolve("in/file.png"), folder.resolve("out/b.png"))
      Seq(
        s"$folder/out/b.png",
        s"$folder/in/../out/b.png",
        s"$folder/in/nowhere/../../out/b.png",
        s"$folder/in/link/b.png",
        s"$folder/in/file.png",
        s"$folder/inside/c.png",
        s"file://$folder/out/b.png",
        "s3a://bucket/b.png",
        "http://169.254.169.254/latest",
        "hdfs://elsewhere/in/a.png",
      ).foreach(path => assert(!allows(s"$folder/in", path), path))
    }
  }

  test("a root that is a link allows the target of the link") {
    withFolder { folder =>
      write(folder, "real/a.png", "x"): Unit
      Files.createSymbolicLink(folder.resolve("root"), folder.resolve("real"))
      assert(allows(s"$folder/root", s"$folder/real/a.png"))
    }
  }

  test("listing a folder outside the roots is rejected; a link to such a folder is a DENIED row") {
    withFolder { folder =>
      write(folder, "in/a.png", "x"): Unit
      write(folder, "out/b.png", "x"): Unit
      Files.createSymbolicLink(folder.resolve("in/link"), folder.resolve("out"))
      val roots = AllowedRoots.parse(s"$folder/in", hadoop)
      def list(location: String) =
        ImageListing.list(location, FolderLabels.Absent, None, FileFilter(), hadoop, roots).files
      Seq(s"$folder/out", s"$folder/*/*.png", s"$folder/in/../*/b.png").foreach { location =>
        val code = Try(list(location)).failed.toOption.collect { case e: SightlineException =>
          e.code
        }
        assert(code.contains("PATH_NOT_ALLOWED"), location)
      }
      // Hadoop removes `..` from the alternatives of a glob before it lists files.
      assert(Try(list(s"$folder/in/{a,../../out/b}.png")).toOption.forall(_.isEmpty))
      assert(
        list(s"$folder/in").map(file => (file.relativePath, file.error.map(_.code))) ==
          Seq(("a.png", None), ("link", Some(ErrorCode.Denied)))
      )
    }
  }
}
