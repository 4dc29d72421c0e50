package sightline.plan

import java.awt.Color

import org.scalatest.funsuite.AnyFunSuite

import sightline.sql.ImageInferenceFunction
import sightline.{AnsweredImages, TestFolder, TestImage}

/** Calls on grouping keys and on aggregate functions are evaluated once for each group. */
final class AggregatedInferenceSuite extends AnyFunSuite with AnsweredImages {

  private def of(image: String): String = s"ml_predict('$colour', $image)"

  /** A query on `images`, and the same query on `answered`. */
  private val queries: Seq[(String, String)] = Seq(
    s"SELECT folder, $call.label, count(*) FROM images GROUP BY folder, content" ->
      "SELECT folder, answer.label, count(*) FROM answered GROUP BY folder, content, answer",
    s"SELECT k, ${of("first(content)")}.label FROM images GROUP BY id, k" ->
      "SELECT k, first(answer).label FROM answered GROUP BY id, k",
    s"SELECT folder, ${of("max_by(content, id)")}.label, min(id) FROM images GROUP BY folder" ->
      "SELECT folder, max_by(answer, id).label, min(id) FROM answered GROUP BY folder",
    s"SELECT ${of("max_by(content, id)")}.label, count(*) FROM images" ->
      "SELECT max_by(answer, id).label, count(*) FROM answered",
    s"SELECT min(id), $call.score FROM images GROUP BY content HAVING $call.label = 'red'" ->
      "SELECT min(id), answer.score FROM answered GROUP BY content, answer HAVING answer.label = 'red'",
    s"SELECT folder, $call.label, count(*) FROM images GROUP BY ROLLUP (folder, content)" ->
      """SELECT folder, IF(grouping(content) = 1, NULL, first(answer)).label, count(*)
        |FROM answered GROUP BY ROLLUP (folder, content)""".stripMargin,
    s"SELECT min(id), $call.label, avg($call.score) FROM images GROUP BY content" ->
      "SELECT min(id), first(answer).label, avg(answer.score) FROM answered GROUP BY content",
    s"SELECT min(id), $call.label, $call.score FROM images GROUP BY content, $call.label" ->
      "SELECT min(id), answer.label, answer.score FROM answered GROUP BY content, answer",
    s"SELECT k, CASE WHEN count(*) > 5 THEN ${of("max_by(content, id)")}.label END FROM images GROUP BY k" ->
      "SELECT k, CASE WHEN count(*) > 5 THEN max_by(answer, id).label END FROM answered GROUP BY k",
    s"""SELECT folder, rank() OVER (ORDER BY ${of("max_by(content, id)")}.score DESC, folder)
       |FROM images GROUP BY folder""".stripMargin ->
      """SELECT folder, rank() OVER (ORDER BY max_by(answer, id).score DESC, folder)
        |FROM answered GROUP BY folder""".stripMargin,
    s"""SELECT id, (SELECT ${of(
        "max_by(content, id)"
      )}.label FROM images i WHERE i.folder = o.folder)
       |FROM images o""".stripMargin ->
      """SELECT id, (SELECT max_by(answer, id).label FROM answered i WHERE i.folder = o.folder)
        |FROM answered o""".stripMargin,
    s"SELECT DISTINCT $call.label, k + 1 FROM images GROUP BY content, k + 1" ->
      "SELECT DISTINCT answer.label, k + 1 FROM answered GROUP BY answer, k + 1",
    s"SELECT folder, $call.label, count(*) FROM images GROUP BY ALL" ->
      "SELECT folder, answer.label, count(*) FROM answered GROUP BY ALL",
    s"SELECT k, max($call.score) FILTER (WHERE folder = 'red') FROM images GROUP BY k" ->
      "SELECT k, max(answer.score) FILTER (WHERE folder = 'red') FROM answered GROUP BY k",
  )

  test(
    "a call in an aggregation gives the same rows as the aggregation of precomputed predictions"
  ) {
    withImages()
    adaptiveAndNot { adaptive =>
      queries.foreach { case (query, answered) =>
        assert(rows(spark.sql(query)) == rows(spark.sql(answered)), s"$adaptive: $query")
      }
    }
  }

  test("a call on grouping keys is evaluated once per group; with a call on rows, once per row") {
    withImages()
    // 18 groups of images by colour and size, and two without images: NULL is not inferred.
    val groups = spark.sql("SELECT count(DISTINCT content) FROM images").head().getLong(0).toInt
    assert(groups < AllImages)
    val sql = s"SELECT min(id), $call.label FROM images GROUP BY content"
    assert(decoded(spark.sql(sql).collect()) == groups)
    val both = s"SELECT min(id), $call.label, avg($call.score) FROM images GROUP BY content"
    assert(decoded(spark.sql(both).collect()) == AllImages)
  }

  test("get_image_inference_udf(path) with GROUP BY path reads and infers each file once") {
    TestFolder.withFolder { folder =>
      Seq("red" -> Color.RED, "blue" -> Color.BLUE).foreach { case (name, color) =>
        TestFolder.write(folder, s"$name.png", TestImage.of(color))
      }
      val root = folder.toString
      val session = spark
      import session.implicits.*
      spark.sparkContext
        .parallelize(Seq("red", "blue", "red", "gone", "red"), 3)
        .map(name => s"$root/$name.png")
        .toDF("path")
        .createOrReplaceTempView("paths")
      withSettings(ImageInferenceFunction.ModelSetting -> colour) {
        val sql =
          """SELECT replace(path, ?), r.label, r.error.code, n FROM (
            |  SELECT path, get_image_inference_udf(path, 'onnx') AS r, count(*) AS n FROM paths
            |  GROUP BY path)""".stripMargin.replace("?", s"'$folder/'")
        val result = Seq.newBuilder[String]
        assert(decoded(result ++= rows(spark.sql(sql))) == 2)
        assert(
          result.result() ==
            Seq("[blue.png,blue,null,1]", "[gone.png,null,NOT_FOUND,1]", "[red.png,red,null,3]")
        )
      }
    }
  }
}
