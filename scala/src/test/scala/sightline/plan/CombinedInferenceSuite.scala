package sightline.plan

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.execution.columnar.InMemoryRelation
import org.apache.spark.sql.execution.python.ArrowEvalPythonExec
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder
import sightline.ml.{ImageClassifier, ImageFeaturizer, ImagePredictor, StageImages}
import sightline.model.{ResultType, TemporaryFolder}
import sightline.schedule.WorkerCounters

/** Calls of one model on one image that need different results: the model runs once for all. */
final class CombinedInferenceSuite
    extends AnyFunSuite
    with StageImages
    with AdaptiveSparkPlanHelper {

  private def predict = s"ml_predict('$means', content)"
  private def features = s"ml_features('$means', content)"

  /** The rows, and the number of values that the workers decoded for them: all but NULL. */
  private def counted(frame: DataFrame): (Seq[Row], Int) = {
    def decoded: Int = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = decoded
    val rows = frame.collect().toSeq
    (rows, decoded - before)
  }

  private def nodes(frame: DataFrame): Int =
    collectWithSubqueries(frame.queryExecution.executedPlan) { case node: ArrowEvalPythonExec =>
      node
    }.size

  private def sql(query: String): DataFrame = {
    table(red, green, text, none, blue).createOrReplaceTempView("images")
    spark.sql(query)
  }

  private val Null = None.orNull
  private val Red = Seq(255f, 0f, 0f)
  private val Green = Seq(10f, 200f, 30f)
  private val Blue = Seq(0f, 40f, 220f)

  test("ml_predict and ml_features of one model and image in one query") {
    val frame = sql(
      s"""SELECT id, $predict.label, $features.features, $features.error.code, $predict.error.code,
         |  $predict IS NULL
         |FROM images ORDER BY id""".stripMargin
    )
    val (rows, decoded) = counted(frame)
    assert(
      rows == Seq(
        Row(1, "red", Red, Null, Null, false),
        Row(2, "green", Green, Null, Null, false),
        Row(3, Null, Null, "UNSUPPORTED", "UNSUPPORTED", false),
        Row(4, Null, Null, Null, Null, true),
        Row(5, "blue", Blue, Null, Null, false),
      )
    )
    assert(nodes(frame) == 1)
    assert(decoded == 4)
  }

  test("several results of one output, with options of their own") {
    val two = s"ml_predict('$means', content, map('top_k', '2'))"
    val (rows, decoded) = counted(
      sql(
        s"SELECT size($two.top_k), size($predict.top_k), $features.features FROM images ORDER BY id"
      )
    )
    val found = Seq(Row(2, 3, Red), Row(2, 3, Green), Row(2, 3, Blue))
    assert(rows.filterNot(_.isNullAt(2)) == found)
    assert(decoded == 4)
    // Another batch size is another run of the model.
    val other = s"ml_predict('$means', content, map('batch_rows', '1'))"
    assert(counted(sql(s"SELECT $predict.label, $other.label FROM images"))._2 == 8)
  }

  test("calls in different parts of a query") {
    Seq(
      s"SELECT $features.features FROM images WHERE $predict.label = 'blue'" -> Seq(Row(Blue)),
      s"""SELECT p.label, $features.features FROM (SELECT id, content, $predict AS p FROM images)
         |WHERE p.score > 0 ORDER BY id DESC LIMIT 2""".stripMargin ->
        Seq(Row("blue", Blue), Row("green", Green)),
      s"SELECT $predict.label FROM images WHERE id < 5 ORDER BY $features.features[0] DESC LIMIT 2" ->
        Seq(Row("red"), Row("green")),
      s"SELECT CASE WHEN $predict.label = 'red' THEN $features.features END FROM images WHERE id = 1" ->
        Seq(Row(Red)),
      s"SELECT $predict.label, max($features.features[0]) FROM images WHERE id < 3 GROUP BY 1 ORDER BY 1" ->
        Seq(Row("green", 10f), Row("red", 255f)),
      s"""SELECT a, b, $predict.class_id FROM (
         |  SELECT id, content, $predict.label AS a, $features.features AS b FROM images)
         |WHERE id = 5""".stripMargin -> Seq(Row("blue", Blue, 2)),
    ).foreach { case (query, expected) =>
      val frame = sql(query)
      val (rows, decoded) = counted(frame)
      assert(rows == expected, query)
      assert(nodes(frame) == 1, query)
      assert(decoded <= 4, query)
    }
  }

  private def results(frame: DataFrame): Seq[ResultType] =
    inferences(frame.queryExecution.optimizedPlan).map(_.call.result)

  private def inferences(plan: LogicalPlan): Seq[Infer] = plan.collect { case i: Infer => i }

  private def readsCache(frame: DataFrame): Boolean =
    frame.queryExecution.optimizedPlan.exists(_.isInstanceOf[InMemoryRelation])

  test("a result that the query does not use is not computed") {
    val both = s"(SELECT id, $predict AS p, $features AS f FROM images)"
    assert(results(sql(s"SELECT f.features FROM $both")) == Seq(ResultType.Vector()))
    val narrow = inferences(sql(s"SELECT f.features FROM $both").queryExecution.optimizedPlan)
    assert(narrow.map(_.call.prettyName) == Seq("ml_features"))
    assert(results(sql(s"SELECT p.label FROM $both")) == Seq(ResultType.TopK()))
    val all = Seq(ResultType.Several(Seq(ResultType.TopK(), ResultType.Vector())))
    assert(results(sql(s"SELECT p.label, f.features FROM $both")) == all)
    val (rows, _) = counted(sql(s"SELECT f.features FROM $both WHERE id = 2"))
    assert(rows == Seq(Row(Green)))
  }

  test("a call on cached rows uses the cached rows, not their files") {
    val folder = TemporaryFolder.create("test")
    TestFolder.write(folder, "1.png", red): Unit
    TestFolder.write(folder, "2.png", green): Unit
    def of(table: String) = s"SELECT f.features, $predict.label FROM $table ORDER BY path"
    try {
      spark.sql(
        s"CACHE TABLE kept AS SELECT path, content, $features AS f FROM binaryFile.`$folder`"
      ): Unit
      TestFolder.write(folder, "1.png", blue): Unit
      TestFolder.write(folder, "3.png", blue): Unit

      val other = spark.sql(of("kept"))
      val expected = Seq(Row(Red, "red"), Row(Green, "green"))
      assert(counted(other) == ((expected, 2)))
      assert(readsCache(other) && results(other) == Seq(ResultType.TopK()))
      val filtered = spark.sql(of("(SELECT * FROM kept WHERE f.error IS NULL)"))
      assert(counted(filtered) == ((expected, 2)))
      val equal = spark.sql(s"SELECT $features.features FROM kept ORDER BY path")
      assert(readsCache(equal))
      assert(equal.collect().toSeq == Seq(Row(Red), Row(Green)))
    } finally spark.sql("DROP VIEW IF EXISTS kept"): Unit
    // The rows of the same files without the cache.
    val files = s"(SELECT path, content, $features AS f FROM binaryFile.`$folder`)"
    val fresh = Seq(Row(Blue, "blue"), Row(Green, "green"), Row(Blue, "blue"))
    assert(counted(spark.sql(of(files))) == ((fresh, 3)))
  }

  test("stages on a cached frame use it, and a cached result stays cached") {
    val featurized = new ImageFeaturizer().setModel(means).transform(table(red, blue, green))
    val predicted = new ImagePredictor().setModel(means).setErrorCol("why").transform(featurized)
    val labels = predicted.select("prediction.label").orderBy("id")
    def again(frame: DataFrame) = frame.select(frame.columns.map(frame.apply).toSeq: _*)
    val expected = Seq(Row("red"), Row("blue"), Row("green"))
    try {
      featurized.cache().count(): Unit
      assert(readsCache(again(labels)) && results(again(labels)) == Seq(ResultType.TopK()))
      assert(counted(again(labels)) == ((expected, 3)))
      predicted.cache().count(): Unit
      assert(counted(again(labels)) == ((expected, 0)))
      // Without the first cache Sightline would combine the calls of both stages.
      featurized.unpersist(blocking = true): Unit
      assert(counted(again(labels)) == ((expected, 0)))
      predicted.unpersist(blocking = true): Unit
      assert(counted(again(labels)) == ((expected, 3)))
      predicted.cache().count(): Unit
      featurized.cache().count(): Unit
      assert(counted(again(labels)) == ((expected, 0)))
    } finally Seq(featurized, predicted).foreach(_.unpersist(blocking = true): Unit)
  }

  test("ImageFeaturizer and ImagePredictor with one model, whatever they do with errors") {
    val images = table(red, text, blue).selectExpr(
      "id",
      "IF(id = 2, NULL, content) AS content",
      "IF(id = 2, named_struct('code', 'DENIED', 'stage', 'read', 'message', 'no'), NULL) AS error",
    )
    def labels(featurizer: ImageFeaturizer, predictor: ImagePredictor, of: DataFrame) = {
      val all = predictor.setModel(means).transform(featurizer.setModel(means).transform(of))
      val (rows, decoded) = counted(all.orderBy("id"))
      val found = rows.map { row =>
        val vector = Option(row.getAs[Vector]("features")).map(_.toArray.toSeq)
        vector -> Option(row.getAs[Row]("prediction")).map(_.getString(0))
      }
      (found, decoded, rows)
    }
    val first = Some(Seq(255d, 0d, 0d)) -> Some("red")
    val last = Some(Seq(0d, 40d, 220d)) -> Some("blue")
    val (kept, decoded, rows) = labels(new ImageFeaturizer, new ImagePredictor, images)
    assert(kept == Seq(first, None -> None, last))
    assert(decoded == 2)
    assert(
      rows.map(row => Option(row.getAs[Row]("error")).map(_.getString(0)))(1).contains("DENIED")
    )
    val (other, again, named) =
      labels(
        new ImageFeaturizer().setErrorCol("why"),
        new ImagePredictor().setErrorCol("how"),
        images,
      )
    assert(other == kept)
    assert(again == 2)
    Seq("why", "how").foreach { name =>
      assert(named(1).getAs[Row](name).getString(0) == "DENIED")
    }
    val good = images.where("id <> 2")
    val (failing, once, _) = labels(
      new ImageFeaturizer().setHandleInvalid("error"),
      new ImagePredictor().setHandleInvalid("error"),
      good,
    )
    assert((failing, once) == (Seq(first, last) -> 2))
    val (skipped, twice, _) = labels(
      new ImageFeaturizer().setHandleInvalid("skip"),
      new ImagePredictor().setHandleInvalid("skip").setErrorCol("why"),
      images,
    )
    assert((skipped, twice) == (Seq(first, last) -> 2))
  }

  test("a fitted ImageClassifierModel shares the run with a featurizer") {
    val labelled =
      table(red, green, blue, red).selectExpr("*", "IF(id = 3, 'sky', 'land') AS label")
    val model = new ImageClassifier().setModel(means).setMaxIter(5).fit(labelled)
    val featurized = new ImageFeaturizer().setModel(means).transform(table(red, blue))
    val (rows, decoded) = counted(model.transform(featurized).orderBy("id"))
    assert(rows.map(_.getAs[String]("predicted_label")) == Seq("land", "sky"))
    assert(decoded == 2)
  }
}
