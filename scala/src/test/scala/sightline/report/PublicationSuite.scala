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

  test("the output does not exist before it is published") {
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

  test("discarding a publication removes all its files") {
    withFolder { folder =>
      val publication = prepare(s"$folder/out")
      stage(publication, "half")
      publication.discard()
      publication.discard()
      assert(names(folder).isEmpty)
    }
  }

  test("an existing file or folder at the output path is rejected and kept") {
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

  test("an output that another run publishes first is neither replaced nor changed") {
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

  test("overwriting replaces the whole old output, and only after the new one is complete") {
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

  test("overwriting also works if there is no old output") {
    withFolder { folder =>
      val publication = prepare(s"$folder/out", overwrite = true)
      stage(publication, "new")
      publication.publish()
      assert(names(folder) == Seq("out"))
    }
  }

  test("if replacing an output fails, the old output is restored") {
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

/** A local file system on which renaming an incomplete output fails. */
final class HaltingFileSystem extends RawLocalFileSystem {
  override def getUri: URI = URI.create("halting:///")
  override def rename(from: HadoopPath, to: HadoopPath): Boolean =
    if (from.getName.contains("incomplete")) throw new IOException("no space")
    else super.rename(from, to)
}
