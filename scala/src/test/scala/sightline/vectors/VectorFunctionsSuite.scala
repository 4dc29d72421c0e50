package sightline.vectors

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry
import org.apache.spark.sql.catalyst.expressions.{ExpressionInfo, Literal}
import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.plan.SqlFunction
import sightline.{LocalSpark, SightlineException}

final class VectorFunctionsSuite extends AnyFunSuite with LocalSpark {

  private def value(sql: String): Any = spark.sql(s"SELECT $sql").head().get(0)

  // The documented values of Spark 4.2.
  test("the functions give the values of Spark 4.2's documentation") {
    val vectors = "array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F)"
    assert(value(s"vector_cosine_similarity($vectors)") == 0.97463185f)
    assert(value(s"vector_inner_product($vectors)") == 32.0f)
    assert(value(s"vector_l2_distance($vectors)") == 5.196152f)
    assert(
      spark.sql(s"SELECT vector_inner_product($vectors) AS x").schema.toDDL == "x FLOAT"
    )
  }

  test("dimensions that are no multiple of four are summed completely") {
    (1 to 9).foreach { n =>
      val a = s"transform(sequence(1, $n), x -> CAST(x AS FLOAT))"
      val b = s"transform(sequence(1, $n), x -> CAST(2 * x AS FLOAT))"
      val squares = (1 to n).map(x => x * x).sum
      assert(value(s"vector_inner_product($a, $b)") == 2f * squares)
      assert(value(s"vector_l2_distance($a, $b)") == math.sqrt(squares.toDouble).toFloat)
      assert(value(s"vector_cosine_similarity($a, $b)") == 1f)
    }
  }

  test("NULL, NULL elements, empty vectors, zeros and NaN give what Spark 4.2 gives") {
    val none = "CAST(NULL AS ARRAY<FLOAT>)"
    val empty = "CAST(array() AS ARRAY<FLOAT>)"
    val rows = for {
      function <- Seq("vector_cosine_similarity", "vector_inner_product", "vector_l2_distance")
    } yield Row(
      value(s"$function($none, array(1F))"),
      value(s"$function(array(1F), $none)"),
      value(s"$function(NULL, array(1F))"),
      value(s"$function(array(1F), NULL)"),
      value(s"$function(NULL, NULL)"),
      value(s"$function(array(1F, NULL), array(1F, 2F))"),
      value(s"$function($empty, $empty)"),
      value(s"$function(array(0F, 0F), array(3F, 4F))"),
      value(s"$function(array(1F, float('nan')), array(3F, 4F))").toString,
    )
    val nothing = None.orNull
    assert(
      rows == Seq(
        Row(nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, "NaN"),
        Row(nothing, nothing, nothing, nothing, nothing, nothing, 0f, 0f, "NaN"),
        Row(nothing, nothing, nothing, nothing, nothing, nothing, 0f, 5f, "NaN"),
      )
    )
    assert(spark.sql("SELECT vector_l2_distance(NULL, NULL) AS x").schema.toDDL == "x FLOAT")
  }

  test("columns of several partitions give the same with and without generated code") {
    Seq("true", "false").foreach { codegen =>
      spark.conf.set("spark.sql.codegen.wholeStage", codegen)
      spark.conf.set(
        "spark.sql.codegen.factoryMode",
        if (codegen == "true") "CODEGEN_ONLY" else "NO_CODEGEN",
      )
      try {
        val rows = spark
          .range(0, 6, 1, 3)
          .selectExpr("id", "array(CAST(id AS FLOAT), 1F) AS a", "array(2F, 3F) AS b")
          .selectExpr("vector_inner_product(a, b)", "vector_l2_distance(b, a)")
          .collect()
        assert(rows.map(_.getFloat(0)).toSeq == Seq(3f, 5f, 7f, 9f, 11f, 13f))
        assert(rows(2).getFloat(1) == 2f)
      } finally {
        spark.conf.unset("spark.sql.codegen.wholeStage")
        spark.conf.unset("spark.sql.codegen.factoryMode")
      }
    }
  }

  test("vectors of different dimensions are the error VECTOR_DIMENSION_MISMATCH") {
    val error = intercept[Exception] {
      spark
        .range(1)
        .selectExpr("vector_l2_distance(array(CAST(id AS FLOAT)), array(1F, 2F))")
        .collect()
    }
    // The task's error is the error of the query or its cause.
    val causes = Seq(error, error.getCause).collect { case one: SightlineException => one }
    assert(causes.map(_.code) == Seq("VECTOR_DIMENSION_MISMATCH"), error)
    assert(
      causes.head.detail ==
        "Vectors passed to vector_l2_distance must have the same dimension, but got 1 and 2."
    )
  }

  test("other types than ARRAY<FLOAT> are refused when the query is analysed") {
    Seq("array(1D)" -> "first", "array(1)" -> "first", "array(array(1F))" -> "first").foreach {
      case (argument, position) =>
        val error =
          intercept[AnalysisException](value(s"vector_inner_product($argument, array(1F))"))
        assert(error.getCondition == "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
        assert(error.getMessageParameters.get("paramIndex") == position)
    }
    val second = intercept[AnalysisException](value("vector_inner_product(array(1F), array(1D))"))
    assert(second.getMessageParameters.get("paramIndex") == "second")
    val beside = intercept[AnalysisException](value("vector_inner_product(NULL, array(1D))"))
    assert(beside.getMessageParameters.get("paramIndex") == "second")
    val missing = intercept[AnalysisException](value("vector_inner_product(array(1F))"))
    assert(missing.getCondition == "WRONG_ARGUMENTS")
  }

  test("a Spark that has a function of the name keeps it") {
    val name = FunctionIdentifier("vector_inner_product")
    val (_, ours, build) = InnerProductFunction.description
    val sparks = new ExpressionInfo("org.apache.spark.VectorInnerProduct", "vector_inner_product")
    FunctionRegistry.builtin.registerFunction(name, sparks, (_: Seq[Any]) => Literal(1f))
    try {
      SqlFunction.register(VectorFunctions.all)
      assert(FunctionRegistry.builtin.lookupFunction(name).contains(sparks))
    } finally FunctionRegistry.builtin.registerFunction(name, ours, build)
  }

  test("the nearest neighbours are an ordinary join with max_by or row_number") {
    val tables =
      """WITH photos AS (SELECT * FROM VALUES ('a', array(1F, 0F)), ('b', array(0F, 1F)),
        |  ('c', array(0.8F, 0.6F)) AS t(path, features)),
        |queries AS (SELECT * FROM VALUES ('q', array(1F, 0.1F)) AS t(query, features)),
        |scored AS (
        |  SELECT query, path, vector_cosine_similarity(q.features, p.features) AS similarity
        |  FROM queries q CROSS JOIN photos p)
        |""".stripMargin
    val nearest =
      spark.sql(s"$tables SELECT query, max_by(path, similarity) FROM scored GROUP BY query")
    assert(nearest.collect().toSeq == Seq(Row("q", "a")))
    val two = spark.sql(
      s"""$tables SELECT query, path, rank FROM (
         |  SELECT *, row_number() OVER (PARTITION BY query ORDER BY similarity DESC) AS rank
         |  FROM scored)
         |WHERE rank <= 2 ORDER BY rank""".stripMargin
    )
    assert(two.collect().toSeq == Seq(Row("q", "a", 1), Row("q", "c", 2)))
  }
}
