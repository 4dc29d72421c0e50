package sightline.source

import java.nio.file.Path

import org.apache.spark.sql.sightline.PlanFrame
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** Samples of the images of a run, of each kind of input. */
final class ImageSampleSuite extends AnyFunSuite with OpenedInputs {

  private def paths(input: ImageInput, sample: ImageSample): Seq[String] =
    input.sample.get(sample).selectExpr("path").collect().map(_.getString(0)).toSeq.sorted

  private def numbers(paths: Seq[String]): Seq[Int] =
    paths.map(_.split('/').last.takeWhile(_.isDigit).toInt)

  /** The files 000.jpg, 001.jpg, …, each of which contains its number. */
  private def photos(folder: Path, count: Int): Path = {
    (0 until count).foreach(n => write(folder, f"photos/$n%03d.jpg", n.toString): Unit)
    folder.resolve("photos")
  }

  test("a sample of a folder has one image of each equal part of the listing, the same each time") {
    withFolder { folder =>
      val input = open(photos(folder, 40))
      val found = numbers(paths(input, ImageSample(10, tasks = 2, seed = 7)))
      assert(found.map(_ / 4) == (0 until 10))
      assert(found == numbers(paths(input, ImageSample(10, tasks = 2, seed = 7))))
      assert(found != numbers(paths(input, ImageSample(10, tasks = 2, seed = 8))))
    }
  }

  test("a sample that is larger than the folder has every image once") {
    withFolder { folder =>
      val input = open(photos(folder, 5))
      assert(numbers(paths(input, ImageSample(200, tasks = 2, seed = 0))) == (0 until 5))
    }
  }

  test("a sample of a folder has at most the wanted number of tasks") {
    withFolder { folder =>
      val sample = open(photos(folder, 200)).sample.get(ImageSample(200, tasks = 2, seed = 0))
      assert(PlanFrame.partitions(sample) == 2)
    }
  }

  test("a sample of a table of paths has rows of the whole table, and opens only their files") {
    withFolder { folder =>
      photos(folder, 100): Unit
      val rows = (0 until 100).map(n => f"photos/$n%03d.jpg")
      val table = write(folder, "t.csv", ("path" +: rows).mkString("\n"))
      val sample = open(table).sample.get(ImageSample(20, tasks = 2, seed = 3))
      assert(PlanFrame.partitions(sample) == 2)
      val read = sample.selectExpr("path", "int(string(__content))").collect()
      val found = read.map(row => numbers(Seq(row.getString(0))).head -> row.getInt(1))
      assert(found.length == 20)
      assert(found.forall { case (name, content) => name == content })
      assert(found.map(_._1).distinct.length == 20)
      assert(found.map(_._1).exists(_ < 30) && found.map(_._1).exists(_ >= 70))
    }
  }

  test("a sample of a table of bytes has the first rows of some of its partitions") {
    withFolder { folder =>
      spark
        .range(0, 200, 1, 8)
        .selectExpr("concat(lpad(id, 3, '0'), '.jpg') AS path", "CAST('x' AS BINARY) AS content")
        .write
        .parquet(s"$folder/t.parquet")
      val input = open(s"$folder/t.parquet")
      val sample = input.sample.get(ImageSample(10, tasks = 2, seed = 1))
      assert(PlanFrame.partitions(sample) == 2)
      val found = numbers(sample.selectExpr("path").collect().map(_.getString(0)).toSeq)
      assert(found.size == 10)
      val runs = found.grouped(5).toSeq
      assert(runs.forall(run => run == (run.head until run.head + 5)))
      assert(found.distinct.size == 10)
      assert(
        sample
          .selectExpr("string(__content)")
          .distinct()
          .collect()
          .map(_.getString(0))
          .toSeq == Seq("x")
      )
    }
  }

  test("an input knows the bytes of its files, and of a table") {
    withFolder { folder =>
      assert(open(photos(folder, 12)).bytes == 10 + 2 * 2)
    }
  }
}
