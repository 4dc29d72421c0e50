package sightline.source

import java.net.URI
import java.nio.file.attribute.PosixFilePermissions
import java.nio.file.{Files, Path as LocalPath}

import scala.sys.process.Process

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataInputStream, Path, RawLocalFileSystem}
import org.apache.hadoop.security.AccessControlException
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

final class ImageBytesSuite extends AnyFunSuite {

  private val hadoop = new Configuration
  hadoop.set("fs.denying.impl", classOf[DenyingFileSystem].getName)

  private def read(
      file: LocalPath,
      listed: Option[Long] = None,
      maxBytes: Long = 1000,
  ): Either[ReadError, Seq[Byte]] =
    FileBytes
      .read(new Path(file.toString), listed, maxBytes, hadoop)
      .map(_.toSeq)

  private def code(result: Either[ReadError, Seq[Byte]]): Option[String] =
    result.left.toOption.map(_.code)

  test("a file's bytes are read unchanged") {
    withFolder { folder =>
      val bytes = Array.tabulate[Byte](999)(_.toByte)
      val file = write(folder, "a %#ü😀.bin", bytes)
      assert(read(file) == Right(bytes.toSeq))
      assert(read(file, listed = Some(999)) == Right(bytes.toSeq))
    }
  }

  test("an empty file gives zero bytes and no error") {
    withFolder(folder => assert(read(write(folder, "empty", "")) == Right(Nil)))
  }

  test("a missing file is NOT_FOUND, and the message has its name") {
    withFolder { folder =>
      val Left(error) = read(folder.resolve("gone.jpg")): @unchecked
      assert(error.code == "NOT_FOUND")
      assert(error.message.contains("gone.jpg"))
      assert(error.message.linesIterator.size == 1)
      assert(code(read(folder.resolve("gone.jpg"), listed = Some(5))).contains("NOT_FOUND"))
    }
  }

  test("reading a folder as a file is an IO error") {
    withFolder(folder => assert(code(read(folder)).contains("IO")))
  }

  test("a path below a file or with a NUL character is NOT_FOUND") {
    withFolder { folder =>
      val file = write(folder, "a", "x")
      assert(code(read(file.resolve("b"))).contains("NOT_FOUND"))
      val named = FileBytes.readLocal(s"$folder/a\u0000b", None, 1000)
      assert(named.left.map(_.code) == Left("NOT_FOUND"))
    }
  }

  test("a named pipe is an IO error, and reading it does not block") {
    withFolder { folder =>
      val pipe = folder.resolve("pipe.jpg")
      assert(Process(Seq("mkfifo", pipe.toString)).! == 0)
      assert(code(read(pipe)).contains("IO"))
      assert(code(read(pipe, listed = Some(5))).contains("IO"))
    }
  }

  test("a file whose length changed after the listing is CHANGED") {
    withFolder { folder =>
      val file = write(folder, "a.jpg", "12345")
      val Left(grown) = read(file, listed = Some(4)): @unchecked
      assert((grown.code, grown.message) == (("CHANGED", "4 bytes when listed, more when read")))
      val Left(shrunk) = read(file, listed = Some(9)): @unchecked
      assert((shrunk.code, shrunk.message) == (("CHANGED", "9 bytes when listed, 5 when read")))
    }
  }

  test("a file above the size limit is TOO_LARGE and is not opened") {
    withFolder { folder =>
      val Left(error) = read(write(folder, "a", "1" * 1001)): @unchecked
      assert((error.code, error.message) == (("TOO_LARGE", "1001 bytes, the limit is 1000")))
      // This file does not exist: opening it would give NOT_FOUND.
      assert(code(read(folder.resolve("gone"), listed = Some(1001))).contains("TOO_LARGE"))
      assert(read(write(folder, "b", "1" * 1000)).isRight)
    }
  }

  test("a file system that denies access gives a DENIED error") {
    withFolder { folder =>
      write(folder, "a", "x")
      val path = new Path(s"denying://$folder/a")
      val Left(error) = FileBytes.read(path, None, 1000, hadoop): @unchecked
      assert((error.code, error.message) == (("DENIED", "user may not read")))
    }
  }

  test("a local file without read permission is DENIED") {
    withFolder { folder =>
      val file = write(folder, "a", "x")
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"))
      assume(!Files.isReadable(file), "this user may read any file (root): nothing can be denied")
      assert(code(read(file)).contains("DENIED"))
    }
  }

  test("an unknown file system in a path is an IO error of that image only") {
    val Left(error) = FileBytes.read(new Path("s9://a/b.jpg"), None, 1000, hadoop): @unchecked
    assert(error.code == "IO")
    assert(error.message.contains("s9"))
  }
}

/** Lists local files and denies access to their contents. */
final class DenyingFileSystem extends RawLocalFileSystem {
  override def getUri: URI = URI.create("denying:///")
  override def open(path: Path, bufferSize: Int): FSDataInputStream =
    throw new AccessControlException("user may not read")
}
