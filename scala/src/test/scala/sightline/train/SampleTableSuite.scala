package sightline.train

import java.nio.file.{Files, Path}

import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.source.ImageRequest
import sightline.{LocalSpark, SightlineException}

/** The table of samples. No image is opened, so the files are empty. */
final class SampleTableSuite extends AnyFunSuite with LocalSpark {

  private def images(folder: Path, names: String*): SampleSource = {
    names.foreach(write(folder, _, ""): Unit)
    SampleSource(ImageRequest(folder.toString), SplitShares.parse("0.5/0.25/0.25"))
  }

  private def error(source: SampleSource): (String, String) = {
    val raised = intercept[SightlineException](SampleTable.open(spark, source, seed = 0))
    (raised.code, raised.detail)
  }

  private val eight = for {
    label <- Seq("b", "a")
    n <- 0 until 4
  } yield s"$label/$n.jpg"

  test("each image has the id of its label, in the order of the labels or of the names") {
    withFolder { folder =>
      val source = images(folder, eight: _*)
      def ids(names: Option[Seq[String]]): Map[String, Int] = {
        val table = SampleTable.open(spark, source.copy(classNames = names), seed = 0)
        try {
          assert(table.rows.count() == 8)
          table.rows
            .select("label", SampleTable.ClassId)
            .distinct()
            .collect()
            .map(row => row.getString(0) -> row.getInt(1))
            .toMap
        } finally table.close()
      }
      assert(ids(None) == Map("a" -> 0, "b" -> 1))
      assert(ids(Some(Seq("b", "a"))) == Map("a" -> 1, "b" -> 0))
    }
  }

  test(
    "labels that are missing or are not those of the classes end the run before an image is read"
  ) {
    withFolder { folder =>
      val source = images(folder, eight: _*)
      assert(
        error(source.copy(classes = Some(3))) ==
          (("CLASSES_DIFFER", "--classes is 3, and the images have 2 labels: 'a', 'b'."))
      )
      val (code, detail) = error(source.copy(classNames = Some(Seq("a", "c"))))
      assert(code == "CLASSES_DIFFER" && detail.startsWith("'b' is no class"))
      assert(error(source.copy(classNames = Some(Seq("a", "b", "c"))))._1 == "CLASS_WITHOUT_IMAGES")
      assert(error(source.copy(groupColumn = Some("patient")))._1 == "UNKNOWN_COLUMN")
      assert(error(source.copy(shares = SplitShares.parse("folders")))._1 == "NO_SPLIT")
      write(folder, "bare.jpg", ""): Unit
      val (none, text) = error(source)
      assert(
        none == "NO_LABELS" && text.startsWith("1 of 9 images of") && text.contains("bare.jpg")
      )
    }
  }

  test("a class whose images are all held out, and one class alone, are refused") {
    withFolder { folder =>
      val source = images(folder, "test/a/1.jpg", "train/b/1.jpg", "train/b/2.jpg")
        .copy(shares = SplitShares.parse("folders"))
      assert(error(source)._1 == "CLASS_WITHOUT_IMAGES")
    }
    withFolder { folder =>
      assert(error(images(folder, "a/1.jpg", "a/2.jpg"))._1 == "CLASSES_DIFFER")
    }
    withFolder { folder =>
      val source = images(folder, "a/1.jpg", "b/2.jpg").copy(shares = SplitShares(0.1, 0.5, 0.4))
      assert(error(source)._1 == "EMPTY_PART")
    }
  }

  test("a file of labels has one label in each line") {
    withFolder { folder =>
      def read(text: String): Seq[String] = LabelsFile.read(
        new org.apache.hadoop.fs.Path(write(folder, "labels.txt", text).toString),
        spark.sessionState.newHadoopConf(),
      )
      assert(read("\ufeffrose\n tulip \n") == Seq("rose", "tulip"))
      val raised = intercept[SightlineException](read("rose\n\ntulip\n"))
      assert(raised.code == "BAD_LABELS" && raised.detail.startsWith("line 2 of"))
      Files.delete(folder.resolve("labels.txt"))
    }
  }
}
