package sightline.report

import java.io.IOException
import java.net.URI
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path as HadoopPath, RawLocalFileSystem}
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}

final class PublicationSuite extends AnyFunSuite {

  private val hadoop = new Configuration
  hadoop.set("fs.halting.impl", classOf[HaltingFileSystem].getName)

  private def prepare(output: String, overwrite: Boolean = false): Publication =
    Publication.prepare(output, overwrite, inputs = Nil, hadoop)

  private def stage(publication: Publication, text: String): Unit =
    write(Path.of(publication.staging.toUri.getPath), "part-0", text): Unit

  private def names(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq.sorted)

  test("the output appears when it is published, and not before") {
    withFolder { folder =>
      val publication = prepare(s"$folder/deep/out")
      stage(publication, "new")
      assert(!Files.exists(folder.resolve("deep/out")))
      publication.publish()
      assert(Files.readString(folder.resolve("deep/out/part-0")) == "new")
      publication.discard()
      assert(names(folder.resolve("deep")) == Seq("out"))
    }
  }

  test("what is discarded leaves nothing") {
    withFolder { folder =>
      val publication = prepare(s"$folder/out")
      stage(publication, "half")
      publication.discard()
      publication.discard()
      assert(names(folder).isEmpty)
    }
  }

  test("an existing output is refused, whatever it is, and stays as it is") {
    withFolder { folder =>
      write(folder, "out/part-0", "old")
      write(folder, "file", "old")
      Seq("out", "out/", "file").foreach { name =>
        val error = intercept[SightlineException](prepare(s"$folder/$name"))
        assert((error.code, error.exitStatus) == (("OUTPUT_EXISTS", 2)))
        assert(error.getMessage.contains(s"$folder/${name.stripSuffix("/")} exists already"))
      }
      assert(Files.readString(folder.resolve("out/part-0")) == "old")
    }
  }

  test("an output that appeared meanwhile is not replaced, nor written into") {
    withFolder { folder =>
      val publication = prepare(s"$folder/out")
      stage(publication, "new")
      write(folder, "out/part-0", "of another run")
      assertThrows[SightlineException](publication.publish())
      publication.discard()
      assert(Files.readString(folder.resolve("out/part-0")) == "of another run")
      assert(names(folder) == Seq("out"))
      assert(names(folder.resolve("out")) == Seq("part-0"))
    }
  }

  test("overwriting replaces the whole of the old output, and only when the new one is whole") {
    withFolder { folder =>
      write(folder, "out/part-0", "old")
      write(folder, "out/part-1", "old")
      val publication = prepare(s"$folder/out", overwrite = true)
      stage(publication, "new")
      assert(names(folder.resolve("out")) == Seq("part-0", "part-1"))
      publication.publish()
      publication.discard()
      assert(Files.readString(folder.resolve("out/part-0")) == "new")
      assert(names(folder.resolve("out")) == Seq("part-0"))
      assert(names(folder) == Seq("out"))
    }
  }

  test("overwriting where there is nothing just writes") {
    withFolder { folder =>
      val publication = prepare(s"$folder/out", overwrite = true)
      stage(publication, "new")
      publication.publish()
      assert(names(folder) == Seq("out"))
    }
  }

  test("a replacement that fails midway puts the old output back") {
    withFolder { folder =>
      write(folder, "out/part-0", "old")
      val publication = prepare(s"halting://$folder/out", overwrite = true)
      stage(publication, "new")
      val error = intercept[Exception](publication.publish())
      assert(error.getMessage.contains("no space"))
      publication.discard()
      assert(names(folder) == Seq("out"))
      assert(Files.readString(folder.resolve("out/part-0")) == "old")
    }
  }
}

/** A local file system on which nothing staged can be moved to its place. */
final class HaltingFileSystem extends RawLocalFileSystem {
  override def getUri: URI = URI.create("halting:///")
  override def rename(from: HadoopPath, to: HadoopPath): Boolean =
    if (from.getName.contains("incomplete")) throw new IOException("no space")
    else super.rename(from, to)
}
