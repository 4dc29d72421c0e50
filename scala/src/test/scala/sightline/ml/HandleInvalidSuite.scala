package sightline.ml

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ErrorConditions, ErrorTranslation}

/** What becomes of rows that have an error. */
final class HandleInvalidSuite extends AnyFunSuite with StageImages {

  private def featurizer = new ImageFeaturizer().setModel(means)

  private def codes(frame: DataFrame, column: String = "error"): Seq[(Int, Option[String])] =
    rows(frame).map { row =>
      row.getAs[Int]("id") -> Option(row.getAs[Row](column)).map(_.getAs[String]("code"))
    }

  test("keep gives NULL and an error to an empty image between two good ones") {
    val found = featurizer.transform(table(red, empty, blue, text, none, green))
    val expected = Seq(
      1 -> None,
      2 -> Some("EMPTY"),
      3 -> None,
      4 -> Some("UNSUPPORTED"),
      5 -> Some("INVALID_INPUT"),
      6 -> None,
    )
    assert(codes(found) == expected)
    val largest = rows(found).map(row => Option(row.getAs[Vector]("features")).map(_.argmax))
    assert(largest == Seq(Some(0), None, Some(2), None, None, Some(1)))
  }

  test("skip leaves the rows out, and adds no column of errors") {
    val found = featurizer
      .setHandleInvalid("skip")
      .transform(table(red, empty, blue, text, none, green))
    assert(found.columns.toSeq == Seq("id", "content", "features"))
    assert(rows(found).map(_.getInt(0)) == Seq(1, 3, 6))
  }

  test("error fails the query at the first such row, with the row's error") {
    val stage = featurizer.setHandleInvalid("error")
    val good = stage.transform(table(red, blue, green))
    assert(rows(good).map(_.getAs[Vector]("features").argmax) == Seq(0, 2, 1))
    val error = intercept[Exception](stage.transform(table(red, empty, blue)).collect())
    val expected = ErrorConditions("ROW_FAILED").message(
      Map("stage" -> "ImageFeaturizer", "code" -> "EMPTY", "reason" -> "The file has 0 bytes.")
    )
    assert(error.getMessage.contains(s"ROW_FAILED: $expected"))
    assert(ErrorTranslation.translate(error).map(_.code).contains("ROW_FAILED"))
  }

  test("errorCol names the column of errors") {
    val found = featurizer.setErrorCol("why").transform(table(red, text))
    assert(found.columns.toSeq == Seq("id", "content", "features", "why"))
    assert(codes(found, "why") == Seq(1 -> None, 2 -> Some("UNSUPPORTED")))
  }

  test("an image that read_images could not read has the error of reading it") {
    withFolder { folder =>
      write(folder, "1.png", red)
      write(folder, "2.png", empty)
      val read = spark.read.format("sightline").option("maxImageBytes", "1000").load(s"$folder")
      val images = read.selectExpr(
        "CAST(regexp_extract(path, '([0-9]).png', 1) AS INT) AS id",
        "IF(path LIKE '%2.png', NULL, content) AS content",
        "IF(path LIKE '%2.png', named_struct('code', 'DENIED', 'stage', 'read', 'message', 'no'), error) AS error",
      )
      val found = featurizer.transform(images)
      assert(found.columns.toSeq == Seq("id", "content", "features", "error"))
      assert(codes(found) == Seq(1 -> None, 2 -> Some("DENIED")))
      val skipped = featurizer.setHandleInvalid("skip").transform(images)
      assert(rows(skipped).map(_.getInt(0)) == Seq(1))
    }
  }

  test("the errors of two stages are in one column, and the first error stays") {
    val first = featurizer.transform(table(red, text))
    val both = new ImagePredictor().setModel(colour).transform(first)
    assert(both.columns.toSeq == Seq("id", "content", "features", "prediction", "error"))
    assert(codes(both) == Seq(1 -> None, 2 -> Some("UNSUPPORTED")))
  }

  test("a column named as errorCol that holds no errors is refused") {
    val images = table(red).selectExpr("*", "'x' AS error")
    val error = intercept[AnalysisException](featurizer.transform(images))
    assert(error.getCondition == "OUTPUT_COLUMN_EXISTS")
    assert(error.getMessage.contains("Set errorCol to another name"))
  }
}
