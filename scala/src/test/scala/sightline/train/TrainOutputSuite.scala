package sightline.train

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** The folder of a training run, whose images are refused. */
final class TrainOutputSuite extends AnyFunSuite {

  private def refused(folder: Path)(meanwhile: => Unit): Unit = {
    val output = new TrainOutput(s"$folder/run", TrainOutput.New, new Configuration)
    output.check(None)
    output.held { _ =>
      write(folder, "run/start.safetensors", "the checked weights".getBytes): Unit
      meanwhile
      output.discard()
    }
  }

  test("a run whose images are refused removes its folder") {
    withFolder { folder =>
      refused(folder)(())
      assert(!Files.exists(folder.resolve("run")))
    }
  }

  test("what somebody else has put there since the check stays") {
    withFolder { folder =>
      refused(folder)(write(folder, "run/notes.txt", "mine".getBytes): Unit)
      val left = Using.resource(Files.list(folder.resolve("run")))(_.iterator.asScala.toSeq)
      assert(left.map(_.getFileName.toString) == Seq("notes.txt"))
    }
  }
}
