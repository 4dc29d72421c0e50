package sightline.train

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

/** The draw of the parts. The expected parts are those of `split_samples` in Python. */
final class SplitSamplesSuite extends AnyFunSuite with LocalSpark {

  // cat/00.jpg to cat/09.jpg, then the same of dog.
  private val names =
    for {
      label <- Seq("cat", "dog")
      n <- 0 until 10
    } yield f"$label/$n%02d.jpg"

  private def rows(key: Int => String, known: Int => Option[String] = _ => None): DataFrame = {
    val schema = Seq("path", "label", SplitSamples.Key, SplitSamples.Known)
      .foldLeft(new StructType)(_.add(_, StringType))
    val values = names.zipWithIndex.map { case (name, at) =>
      Row(s"/data/$name", name.take(3), key(at), known(at).orNull)
    }
    spark.createDataFrame(values.asJava, schema)
  }

  private def parts(divided: DataFrame, column: String): Map[String, Seq[String]] =
    divided
      .select(SplitSamples.Part, column)
      .distinct()
      .collect()
      .toSeq
      .groupMap(_.getString(0))(_.getString(1).stripPrefix("/data/"))
      .view
      .mapValues(_.sorted)
      .toMap

  test("each label is divided by the shares, in the order of the hashes of seed and path") {
    val divided =
      SplitSamples(rows(at => s"/data/${names(at)}"), SplitShares.parse("0.6/0.2/0.2"), seed = 7)
    assert(
      parts(divided, "path") == Map(
        "train" -> Seq(
          "cat/02",
          "cat/03",
          "cat/05",
          "cat/06",
          "cat/08",
          "cat/09",
          "dog/00",
          "dog/01",
          "dog/02",
          "dog/04",
          "dog/07",
          "dog/08",
        ).map(_ + ".jpg"),
        "validation" -> Seq("cat/00", "cat/07", "dog/05", "dog/06").map(_ + ".jpg"),
        "test" -> Seq("cat/01", "cat/04", "dog/03", "dog/09").map(_ + ".jpg"),
      )
    )
    assert(divided.columns.toSeq.sorted == Seq("key", "label", "part", "path"))
  }

  test("a group is in one part, and its label is that of its first image") {
    // p0, p1: cats; p2: cats and dogs; p3, p4: dogs.
    val divided =
      SplitSamples(rows(at => s"p${at / 4}"), SplitShares.parse("0.5/0.25/0.25"), seed = 3)
    assert(
      parts(divided, "key") ==
        Map("train" -> Seq("p2"), "validation" -> Seq("p1", "p4"), "test" -> Seq("p0", "p3"))
    )
    assert(divided.count() == 20)
  }

  test("the parts are those of the folders, and a missing validation part is drawn from train") {
    def known(at: Int) = Some(if (at % 10 < 2) "test" else "train")
    val divided =
      SplitSamples(rows(at => s"/data/${names(at)}", known), SplitShares.parse("folders"), seed = 0)
    val found = parts(divided, "path")
    assert(found("test") == Seq("cat/00.jpg", "cat/01.jpg", "dog/00.jpg", "dog/01.jpg"))
    assert(found("validation") == Seq("cat/03.jpg", "dog/07.jpg"))
    assert(found("train").size == 14)

    val error = intercept[SightlineException](
      SplitSamples(rows(_.toString, _ => Some("test")), SplitShares.parse("folders"), seed = 0)
    )
    assert(error.code == "NO_SPLIT")
  }

  test("rows of the same path are all kept, in one part") {
    val one = rows(at => s"/data/${names(at)}")
    val divided = SplitSamples(one.union(one), SplitShares.parse("0.6/0.2/0.2"), seed = 7)
    assert(divided.count() == 40)
    assert(divided.select("path", "part").distinct().count() == 20)
  }

  test("shares that do not add up to 1 are refused") {
    Seq("0.8/0.1", "0.8/0.1/0.2", "0/0.5/0.5", "1.2/-0.1/-0.1", "a/b/c").foreach { text =>
      assert(intercept[SightlineException](SplitShares.parse(text)).code == "INVALID_OPTION", text)
    }
  }
}
