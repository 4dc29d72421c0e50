package sightline.sql

import java.awt.Color

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.{ColourBundle, LocalSpark, TestImage}

final class PredictFunctionSuite extends AnyFunSuite with LocalSpark {

  private lazy val model = ColourBundle.bundle.folder.toString
  private lazy val means = ColourBundle.means.folder.toString

  /** The view `images`: a red image, a text, and NULL. */
  private def images(): Unit = {
    val session = spark
    import session.implicits.*
    Seq[(Int, Array[Byte])](
      (1, TestImage.of(Color.RED)),
      (2, "no image".getBytes),
      (3, None.orNull),
    ).toDF("id", "content").createOrReplaceTempView("images")
  }

  private def collected(sql: String): Seq[Row] = {
    images()
    spark.sql(sql).collect().toSeq
  }

  private def refused(sql: String): String = {
    images()
    val message = intercept[AnalysisException](spark.sql(sql).collect()).getMessage
    // Spark appends the plan to the error message of a rule.
    message.linesIterator.next()
  }

  private val none: String = None.orNull

  test("an image gives a label, other bytes give an error, and NULL gives NULL") {
    val rows = collected(
      s"""SELECT id, r IS NULL, r.label, r.class_id, r.score > 0.9, size(r.top_k), r.error.code
         |FROM (SELECT id, ml_predict('$model', content) AS r FROM images) ORDER BY id""".stripMargin
    )
    assert(
      rows == Seq(
        Row(1, false, "red", 0, true, 3, none),
        Row(2, false, none, None.orNull, None.orNull, None.orNull, "UNSUPPORTED"),
        Row(3, true, none, None.orNull, None.orNull, None.orNull, none),
      )
    )
  }

  test("the result type is known before the query runs") {
    val described =
      collected(s"DESCRIBE QUERY SELECT ml_predict('$model', content) AS r FROM images")
    assert(
      described.map(_.getString(1)) == Seq(
        "struct<label:string,class_id:int,score:float,top_k:array<struct<label:string," +
          "class_id:int,score:float>>,error:struct<code:string,stage:string,message:string>>"
      )
    )
  }

  test("ml_predict accepts named arguments and options") {
    val rows = collected(
      s"""SELECT size(ml_predict(content => content, model => '$model',
         |  options => map('top_k', '2')).top_k) FROM images WHERE id = 1""".stripMargin
    )
    assert(rows == Seq(Row(2)))
  }

  test("ml_features returns the model's output of features, one vector per row") {
    val rows = collected(
      s"""SELECT id, r.features, r.error.code
         |FROM (SELECT id, ml_features('$means', content) AS r FROM images) ORDER BY id""".stripMargin
    )
    assert(
      rows == Seq(
        Row(1, Seq(255f, 0f, 0f), none),
        Row(2, None.orNull, "UNSUPPORTED"),
        Row(3, None.orNull, none),
      )
    )
  }

  test("the error for a model without features lists its outputs") {
    val message = refused(s"SELECT ml_features('$model', content) FROM images")
    assert(
      message.startsWith("NO_FEATURES: model 'colour' has no output of features, only logits.")
    )
  }

  test("EXPLAIN shows the model and its settings") {
    val plan = collected(s"EXPLAIN SELECT ml_predict('$model', content).label FROM images")
      .map(_.getString(0))
      .mkString
    val sha256 = ColourBundle.bundle.sha256.take(12)
    val how = s"sha256 $sha256, backend onnx, precision fp32, decoder fast, batch auto, device auto"
    assert(plan.contains(how), plan)
  }

  test("wrong use raises an analysis error") {
    val f = s"ml_predict('$model', content)"
    Seq(
      "SELECT ml_predict('resnet5', content) FROM images" -> "UNKNOWN_MODEL: 'resnet5'. Known: ",
      "SELECT ml_predict(id || '', content) FROM images" ->
        "WRONG_ARGUMENTS: ml_predict: its model must be a literal text, not ",
      s"SELECT ml_predict('$model', id) FROM images" ->
        "WRONG_COLUMN_TYPE: column 'images.id' of ml_predict is INT, not BINARY. Input 'images' of the model is an image. ",
      s"SELECT ml_predict('$model') FROM images" ->
        s"WRONG_ARGUMENTS: ml_predict: its images is missing; model '$model' takes images BINARY.",
      s"SELECT ml_predict('$model', content, map('batch', '3')) FROM images" ->
        "UNKNOWN_OPTION: 'batch'. Known: backend, ",
      s"SELECT * FROM images a JOIN images b ON ml_predict('$model', a.content).label = b.id" ->
        "WRONG_PLACE: ml_predict cannot be used in a JOIN condition: it is evaluated once",
      s"SELECT transform(array(content), c -> ml_predict('$model', c).label) FROM images" ->
        "WRONG_PLACE: ml_predict cannot be used in a lambda",
      s"SELECT * FROM images WHERE EXISTS (SELECT 1 FROM images b WHERE b.id > length($f.label) AND b.id = images.id AND ml_predict('$model', images.content).score > 0)" ->
        "WRONG_PLACE: ml_predict cannot be used in a subquery with a column of the outer query",
    ).foreach { case (sql, expected) =>
      val message = refused(sql)
      assert(message.startsWith(expected), s"\n$message\n$sql")
    }
  }
}
