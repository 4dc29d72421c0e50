package sightline.report

import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{DataFrame, Row}
import org.json4s.*
import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.source.Columns
import sightline.{LocalSpark, SightlineException}

final class EvaluationSuite extends AnyFunSuite with LocalSpark {

  private val schema = new StructType()
    .add("path", "string")
    .add("label", "string")
    .add("label_id", "int")
    .add("prediction", Columns.PredictionType)
    .add("error", Columns.ErrorType)

  private def none: String = None.orNull

  /** A row with the true label and the predicted classes, best first; without any, an error. */
  private def row(label: String, labelId: Option[Int], predicted: (String, Int)*): Row = {
    val top = predicted.zipWithIndex.map { case ((name, id), rank) =>
      Row(name, id, 0.9f - rank * 0.1f)
    }
    val prediction = top.headOption.map(best => Row(best.toSeq :+ top: _*))
    Row(
      "path",
      label,
      labelId.map(Int.box).orNull,
      prediction.orNull,
      if (prediction.isEmpty) Row("CORRUPT", "decode", "bad") else none,
    )
  }

  private def frame(rows: Seq[Row]): DataFrame =
    spark.createDataFrame(spark.sparkContext.parallelize(rows, 2), schema)

  private def evaluate(rows: Row*): Evaluation = Evaluation.of(frame(rows))

  private val cat = "cat" -> 0
  private val dog = "dog" -> 1
  private val eel = "eel" -> 2

  // Three cats, one predicted as a dog; three dogs, one predicted as a cat and one with an error;
  // an eel predicted as a dog; and an image without a true label.
  private val pets = Seq(
    row("cat", Some(0), cat, dog, eel),
    row("cat", Some(0), cat, eel, dog),
    row("cat", Some(0), dog, cat, eel),
    row("dog", Some(1), dog, cat, eel),
    row("dog", Some(1), cat, eel, dog),
    row("dog", Some(1)),
    row("eel", Some(2), dog, cat, eel),
    row(none, None, cat, dog, eel),
  )

  private def close(value: Any, expected: Double): Assertion =
    assert(math.abs(value.asInstanceOf[Double] - expected) < 1e-12)

  test("accuracy counts the rows with a label, and an error counts as a wrong prediction") {
    val totals = evaluate(pets: _*).totals
    assert(totals.getAs[Long]("rows") == 8)
    assert(totals.getAs[Long]("errors") == 1)
    assert(totals.getAs[Long]("unlabelled") == 1)
    close(totals.getAs[Any]("accuracy"), 3.0 / 7)
    close(totals.getAs[Any]("accuracy_predicted"), 3.0 / 6)
    close(totals.getAs[Any]("top5_accuracy"), 6.0 / 7)
  }

  test("each class has precision, recall and F1, which are 0 if the denominator is 0") {
    val classes = evaluate(pets: _*).classes
    assert(classes.map(_.getAs[String]("label")) == Seq("cat", "dog", "eel"))
    assert(classes.map(_.getAs[Int]("class_id")) == Seq(0, 1, 2))
    assert(classes.map(_.getAs[Long]("support")) == Seq(3, 3, 1))
    assert(classes.map(_.getAs[Long]("predicted")) == Seq(3, 3, 0))
    Seq("precision" -> Seq(2.0 / 3, 1.0 / 3, 0.0), "recall" -> Seq(2.0 / 3, 1.0 / 3, 0.0)).foreach {
      case (name, values) =>
        classes.zip(values).foreach { case (c, value) => close(c.getAs[Any](name), value) }
    }
    classes.zip(Seq(2.0 / 3, 1.0 / 3, 0.0)).foreach { case (c, f1) =>
      close(c.getAs[Any]("f1"), f1)
    }
  }

  test("the confusion matrix counts each pair of true and predicted class, with NULL for errors") {
    val cells = evaluate(pets: _*).cells
    val shown = Seq("actual", "actual_id", "predicted", "predicted_id", "count")
    assert(
      cells.map(row => Row(shown.map(row.getAs[Any]): _*)) == Seq(
        Row("cat", 0, "cat", 0, 2L),
        Row("cat", 0, "dog", 1, 1L),
        Row("dog", 1, none, none, 1L),
        Row("dog", 1, "cat", 0, 1L),
        Row("dog", 1, "dog", 1, 1L),
        Row("eel", 2, "dog", 1, 1L),
      )
    )
    assert(cells.map(_.getAs[Long]("count")).sum == 7)
  }

  test("top-5 accuracy uses the first five predictions of a longer list") {
    val many = (0 until 8).map(i => s"c$i" -> i)
    val fifth = evaluate(row("c4", Some(4), many: _*), row("c5", Some(5), many: _*))
    close(fifth.totals.getAs[Any]("top5_accuracy"), 0.5)
    val byName = evaluate(row("c4", None, many: _*), row("c5", None, many: _*))
    close(byName.totals.getAs[Any]("top5_accuracy"), 0.5)
  }

  test("classes are compared by id if both ids are known, even if the names differ") {
    val totals = evaluate(row("Cat (animal)", Some(0), cat), row("cat", Some(1), cat)).totals
    close(totals.getAs[Any]("accuracy"), 0.5)
  }

  test("two classes with the same name and different ids are counted separately") {
    val bird = "crane" -> 134
    val machine = "crane" -> 517
    val evaluation = evaluate(
      row("crane", Some(134), bird, machine),
      row("crane", Some(134), machine, bird),
      row("crane", Some(517), machine, bird),
    )
    close(evaluation.totals.getAs[Any]("accuracy"), 2.0 / 3)
    assert(evaluation.classes.map(_.getAs[Int]("class_id")) == Seq(134, 517))
    close(evaluation.classes.head.getAs[Any]("recall"), 0.5)
    close(evaluation.classes.last.getAs[Any]("precision"), 0.5)
    assert(evaluation.cells.size == 3)
    assert(EvaluationPage.text(evaluation).contains("crane"))
  }

  test("classes are compared by label if the true id is unknown") {
    val evaluation = evaluate(row("cat", None, cat), row("dog", None, cat), row("yak", None, dog))
    close(evaluation.totals.getAs[Any]("accuracy"), 1.0 / 3)
    assert(
      evaluation.classes.map(_.getAs[String]("label")).toSet == Set("cat", "dog", "yak")
    )
  }

  test("a row with a true id and no label is evaluated by its id") {
    val evaluation = evaluate(row(none, Some(0), cat), row(none, Some(1), cat))
    close(evaluation.totals.getAs[Any]("accuracy"), 0.5)
    assert(evaluation.cells.map(_.getAs[String]("actual")) == Seq("0", "1"))
  }

  test("if all rows are errors, accuracy is 0 and accuracy_predicted is NULL") {
    val evaluation = evaluate(row("cat", Some(0)), row("dog", Some(1)))
    close(evaluation.totals.getAs[Any]("accuracy"), 0.0)
    assert(evaluation.totals.isNullAt(evaluation.totals.fieldIndex("accuracy_predicted")))
    assert(evaluation.json \ "accuracy_predicted" == JNull)
  }

  test("rows without any true label are rejected") {
    Seq(Seq(row(none, None, cat)), Nil).foreach { rows =>
      val error = intercept[SightlineException](Evaluation.of(frame(rows)))
      assert((error.code, error.exitStatus) == (("NO_LABELS", 2)))
    }
  }

  test("predictions without both columns label and label_id are rejected; one of them is enough") {
    val rows = frame(pets)
    assertThrows[SightlineException](Evaluation.of(rows.drop("label", "label_id")))
    close(Evaluation.of(rows.drop("label")).totals.getAs[Any]("accuracy"), 3.0 / 7)
    close(Evaluation.of(rows.drop("label_id")).totals.getAs[Any]("accuracy"), 3.0 / 7)
  }

  test("metrics.json has the totals, the metrics per class and the confusion matrix") {
    val json = evaluate(pets: _*).json
    val JObject(fields) = json: @unchecked
    Seq(
      "rows",
      "errors",
      "accuracy",
      "accuracy_predicted",
      "top5_accuracy",
      "per_class",
      "confusion_matrix",
    )
      .foreach(name => assert(fields.exists(_._1 == name)))
    assert(json \ "rows" == JInt(8))
    assert((json \ "per_class")(0) \ "label" == JString("cat"))
    assert((json \ "confusion_matrix")(2) \ "predicted" == JNull)
  }

  test("the printed evaluation has each SQL query and the confusion matrix") {
    val page = EvaluationPage.text(evaluate(pets: _*))
    Seq(
      EvaluationMetrics.Judged,
      EvaluationMetrics.Totals,
      EvaluationMetrics.PerClass,
      EvaluationMetrics.Matrix,
    )
      .foreach(sql => assert(page.contains(sql)))
    val matrix = page.linesIterator.toSeq.dropWhile(!_.contains("actual \\ predicted")).take(5)
    assert(
      matrix.map(_.split('|').toSeq.map(_.trim).filter(_.nonEmpty)) == Seq(
        Seq("actual \\ predicted", "cat", "dog", "eel", "(error)"),
        matrix(1).split('|').toSeq,
        Seq("cat", "2", "1", "0", "0"),
        Seq("dog", "1", "1", "0", "1"),
        Seq("eel", "0", "1", "0", "0"),
      )
    )
  }

  test("the confusion matrix is filled by id if the true labels differ from the model's labels") {
    val page = EvaluationPage.text(evaluate(row("Katze", Some(0), cat), row("Hund", Some(1), dog)))
    val lines = page.linesIterator.filter(_.startsWith("|")).map(_.replace(" ", "")).toSeq
    assert(lines.contains("|Katze|1|0|"))
    assert(lines.contains("|Hund|0|1|"))
  }

  test("top-5 is NULL for a list of fewer than five predictions without the true class") {
    assert(evaluate(row("cat", Some(0), cat)).totals.getAs[Any]("top5_accuracy") == 1.0)
    assert(evaluate(row("cat", Some(0), dog)).totals.isNullAt(5))
  }

  test("true labels that occur in no prediction are reported, the most frequent first") {
    val green = row(" green ", None, cat, dog, eel)
    val dogs = Seq.fill(2)(row("Dog", None, dog, cat, eel))
    val found = evaluate((pets ++ dogs :+ green): _*)
    assert(
      found.warning.contains(
        "3 of 10 images have a true label that occurs in no prediction: 'Dog' (2), ' green ' (1). " +
          "If the model has other names for these classes, their images count as wrong."
      )
    )
    assert((found.json \ "unnamed") == JInt(3))
    // No prediction has eel as its best class, but some have it in top_k: it is not reported.
    assert(evaluate(pets: _*).warning.isEmpty)
  }

  test("true classes without a label are reported by id, at most ten of them") {
    val many = (0 to 11).flatMap(id => Seq.fill(12 - id)(row(none, Some(100 + id), cat)))
    val warning = evaluate(many :+ row(none, Some(0), cat): _*).warning.getOrElse("")
    assert(
      warning.startsWith(
        "78 of 79 images have a true label that occurs in no prediction: '100' (12)"
      )
    )
    assert(warning.contains("'109' (3). ") && !warning.contains("'110'"))
  }
}
