package sightline.plan

import org.scalatest.funsuite.AnyFunSuite

import sightline.AnsweredImages
import sightline.schedule.Inference

/** The number of times that a query finds and checks a model. */
final class SessionModelsSuite extends AnyFunSuite with AnsweredImages {

  private def checks(run: => Any): Long = {
    val before = Inference.checks.get
    run: Unit
    Inference.checks.get - before
  }

  test("a query checks each of its models once, even if several calls use it") {
    withImages()
    assert(checks(spark.sql(s"SELECT $call FROM images LIMIT 1").collect()) == 1)
    val twice = s"""SELECT id, $call.label FROM images
      |WHERE id IN (SELECT id FROM images WHERE $call.label = 'red') AND $call.score > 0
      |ORDER BY $call.score""".stripMargin
    assert(checks(spark.sql(twice).collect()) == 1)
    val two = s"SELECT $call.label, ml_predict('$means', content).label, $call.score FROM images"
    assert(checks(spark.sql(two).collect()) == 2)
    val options = s"ml_predict('$colour', content, map('batch_rows', '3'))"
    assert(checks(spark.sql(s"SELECT $call, $options FROM images").collect()) == 2)
  }

  test("running a query again does not check its models again") {
    withImages()
    val frame = spark.sql(s"SELECT id, $call.label FROM images")
    frame.collect(): Unit
    assert(checks { frame.collect(); frame.count() } == 0)
  }
}
