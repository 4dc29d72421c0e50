package sightline.vectors

import scala.util.Random

import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

final class NearDuplicatesSuite extends AnyFunSuite with LocalSpark {

  private def frame(rows: (String, Seq[Float])*): DataFrame =
    spark.createDataFrame(rows).toDF("path", "features").repartition(3)

  private def ids(groups: DataFrame): Set[Set[String]] =
    groups
      .collect()
      .toSeq
      .groupBy(_.getAs[String]("group_id"))
      .values
      .map(rows => rows.map(_.getAs[String]("path")).toSet)
      .toSet

  test("pairs that share a vector are one group, also if its ends are not similar") {
    // Angles in degrees: neighbours 10 apart are similar (cos 0.985), 20 apart are not (0.94).
    val angles = Seq("a" -> 0, "b" -> 10, "c" -> 20, "d" -> 60, "e" -> 65, "f" -> 120)
    val table = frame(angles.map { case (id, degrees) =>
      val angle = math.toRadians(degrees.toDouble)
      id -> Seq(math.cos(angle).toFloat * 3, math.sin(angle).toFloat * 3)
    }: _*)
    val groups = NearDuplicates(threshold = 0.98).groups(table)
    assert(groups.schema.toDDL == "group_id STRING,path STRING,similarity FLOAT")
    val rows = groups.collect().toSeq.sortBy(_.getString(1))
    assert(
      rows.map(row => row.getString(0) -> row.getString(1)) ==
        Seq("a" -> "a", "a" -> "b", "a" -> "c", "d" -> "d", "d" -> "e")
    )
    val expected = Seq(0, 10, 20, 0, 5).map(degrees => math.cos(math.toRadians(degrees.toDouble)))
    rows.map(_.getFloat(2)).zip(expected).foreach { case (found, value) =>
      assert(math.abs(found - value) < 1e-6)
    }
  }

  test("rows without a usable vector or an id are in no group") {
    val bad = Seq("null", "[1, null]", "[]", "[0, 0]", "[\"NaN\", 1]", "[\"Infinity\", 1]")
    val rows = bad.flatMap(text => Seq(text, text)).zipWithIndex.map { case (text, i) =>
      (s"bad$i", text)
    } ++
      Seq(("x", "[1, 2]"), ("y", "[2, 4]"), (None.orNull, "[1, 2]"))
    val table = spark
      .createDataFrame(rows)
      .toDF("path", "text")
      .selectExpr("path", "from_json(text, 'ARRAY<FLOAT>') AS features")
    assert(table.where("path IS NOT NULL").count() == 14)
    assert(ids(NearDuplicates().groups(table)) == Set(Set("x", "y")))
  }

  test("near_duplicates is a table function with named arguments, also over a WITH and a view") {
    frame("a" -> Seq(1f, 0f), "b" -> Seq(1f, 0.01f), "c" -> Seq(0f, 1f))
      .selectExpr("hash(path) AS number", "features AS vector", "path")
      .createOrReplaceTempView("embeddings")
    val expected = Set(Set("a", "b"))
    assert(
      ids(
        spark.sql(
          "SELECT * FROM near_duplicates(TABLE(embeddings), threshold => 0.99, features => 'vector')"
        )
      ) == expected
    )
    assert(
      ids(
        spark.sql(
          """WITH w AS (SELECT path, vector AS features FROM embeddings)
          |SELECT * FROM near_duplicates(TABLE(w), 0.99)""".stripMargin
        )
      ) == expected
    )
    val numbers = spark.sql(
      "SELECT * FROM near_duplicates(TABLE(embeddings), 0.99, id => 'number', features => 'vector')"
    )
    assert(numbers.schema("number").dataType.sql == "INT")
    assert(numbers.count() == 2)
  }

  test("a column of ids can have any name, also those of the intermediate tables") {
    val names = Seq("key", "text", "vector", "member", "group", "representative", "__id", "a.b`")
    names.foreach { name =>
      val table =
        frame("a" -> Seq(1f, 2f), "b" -> Seq(2f, 4f), "c" -> Seq(1f, 0f)).toDF(name, "features")
      val rows = NearDuplicates(id = name).groups(table).collect().toSet
      assert(rows == Set(Row("a", "a", 1f), Row("a", "b", 1f)), name)
    }
  }

  test("vectors of very large and of very small finite numbers are compared") {
    val table = frame(
      "large1" -> Seq(1e30f, 1f),
      "large2" -> Seq(1e30f, 2f),
      "small1" -> Seq(0f, 1e-30f),
      "small2" -> Seq(0f, 2e-30f),
    )
    assert(
      ids(NearDuplicates().groups(table)) == Set(Set("large1", "large2"), Set("small1", "small2"))
    )
  }

  test("an empty table has no groups") {
    assert(NearDuplicates().groups(frame("a" -> Seq(1f)).where("path = 'b'")).collect().isEmpty)
  }

  test("many copies of one vector are one group") {
    val table = frame((1 to 3000).map(i => f"$i%04d" -> Seq(1f, 2f, 3f)): _*)
    val groups = NearDuplicates(threshold = 1).groups(table)
    assert(groups.distinct().count() == 3000)
    assert(
      groups.selectExpr("group_id", "similarity").distinct().collect().toSeq == Seq(Row("0001", 1f))
    )
  }

  /** `pairs` near copies and as many vectors alone: 16 numbers each, in a cone like features. */
  private def copies(pairs: Int): DataFrame = {
    val random = new Random(1)
    def vector = Seq.fill(16)(random.nextGaussian().abs.toFloat)
    val rows = (0 until pairs).flatMap { i =>
      val one = vector
      val copy = one.map(x => x + 0.05f * random.nextGaussian().toFloat)
      Seq(f"p$i%05d-a" -> one, f"p$i%05d-b" -> copy)
    }
    frame(rows: _*)
  }

  test("hashing finds the pairs that comparing all of them finds, without a Cartesian product") {
    val table = copies(6000).cache()
    try {
      def groups(recall: Double) = NearDuplicates(0.995, recall = recall).groups(table)
      val all = groups(1).selectExpr("path").collect().map(_.getString(0)).toSet
      val hashed = groups(0.95)
      val found = hashed.selectExpr("path").collect().map(_.getString(0)).toSet
      assert(found.subsetOf(all))
      info(s"${found.size} of ${all.size} members are found by hashing")
      assert(all.size > 4000)
      assert(found.size >= 0.95 * all.size)
      val plan = hashed.queryExecution.executedPlan.toString
      assert(!plan.contains("CartesianProduct") && !plan.contains("NestedLoop"), plan)
    } finally table.unpersist(): Unit
  }

  test("the number of hash tables gives the recall that is asked for") {
    for {
      rows <- Seq(20000L, 1000000L, 100000000L)
      threshold <- Seq(0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
      recall <- Seq(0.5, 0.95, 0.99)
    } {
      val (tables, bits) = BucketPlan.tablesAndBits(rows, threshold, recall)
      assert(tables <= 64 && bits >= 1)
      assert(BucketPlan.recallAt(threshold, tables, bits) >= recall - 1e-9, (rows, threshold))
      assert(BucketPlan.recallAt((1 + threshold) / 2, tables, bits) >= recall - 1e-9)
    }
    assert(BucketPlan.tablesAndBits(1000000L, 0.95, 0.99) == ((26, 17)))
  }

  test("vectors of different dimensions are an error") {
    val error = intercept[Exception] {
      NearDuplicates().groups(frame("a" -> Seq(1f), "b" -> Seq(1f, 2f))).collect()
    }
    assert(
      error.getMessage.contains("near_duplicates must have the same dimension, but got 1 and 2.")
    )
  }

  test("wrong columns and options are one sentence when the query is analysed") {
    frame("a" -> Seq(1f)).selectExpr("*", "array(1D) AS doubles").createOrReplaceTempView("wrong")
    def condition(arguments: String): String = intercept[AnalysisException] {
      spark.sql(s"SELECT * FROM near_duplicates(TABLE(wrong), $arguments)")
    }.getCondition
    assert(condition("threshold => 1.5") == "INVALID_OPTION")
    assert(condition("threshold => 0") == "INVALID_OPTION")
    assert(condition("threshold => 'high'") == "INVALID_OPTION")
    assert(condition("recall => -1") == "INVALID_OPTION")
    assert(condition("id => 'name'") == "UNKNOWN_COLUMN")
    // The result has columns of these names.
    Seq("group_id", "similarity", "GROUP_ID").foreach { name =>
      val named = spark.table("wrong").withColumnRenamed("path", name)
      named.createOrReplaceTempView("named")
      val query = s"SELECT * FROM near_duplicates(TABLE(named), id => '$name')"
      val error = intercept[AnalysisException](spark.sql(query))
      assert(
        error.getMessage.startsWith(
          s"INVALID_OPTION: id is '$name'. The result has its own columns group_id and similarity."
        )
      )
    }
    assert(condition("features => 'doubles'") == "WRONG_COLUMN_TYPE")
    assert(condition("features => 'path'") == "WRONG_COLUMN_TYPE")
    val twice = spark.table("wrong").selectExpr("*", "path AS Path")
    val ambiguous = intercept[SightlineException](NearDuplicates().groups(twice))
    assert(
      ambiguous.getMessage == "AMBIGUOUS_COLUMN: near_duplicates needs one column 'path', but its " +
        "table has path, Path. Rename or drop all but one of them."
    )
    spark.conf.set("spark.sql.caseSensitive", "true")
    try assert(condition("id => 'PATH'") == "UNKNOWN_COLUMN")
    finally spark.conf.unset("spark.sql.caseSensitive")
    val error = intercept[SightlineException](NearDuplicates(threshold = 2))
    assert(
      error.getMessage == "INVALID_OPTION: threshold is '2.0'. It must be above 0 and at most 1."
    )
  }
}
