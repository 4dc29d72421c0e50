package sightline.ml

import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TensorBundle
import sightline.model.Bundle

/** Columns of numbers as the inputs of models, and outputs as columns. */
final class TensorTransformerSuite extends AnyFunSuite with StageImages {

  private def stage(bundle: Bundle) = new TensorTransformer().setModel(bundle.folder.toString)

  /** Columns id, x (array), v (the same as a vector), d (the same as doubles), bad: two partitions. */
  private def numbers: DataFrame = {
    val session = spark
    import session.implicits.*
    val rows = (1 to 4).map { id =>
      val x = Seq(id.toFloat, 1f, 2f, 3f)
      (
        id,
        x,
        Vectors.dense(x.map(_.toDouble).toArray),
        x.map(_.toDouble),
        if (id == 3) Seq(1f) else x,
      )
    }
    spark.sparkContext.parallelize(rows, 2).toDF("id", "x", "v", "d", "bad")
  }

  private val sums = (1 to 4).map(id => (Seq(id + 1f, 5f), id + 6f))

  private def found(
      frame: DataFrame,
      y: String = "y",
      sum: String = "sum",
  ): Seq[(Seq[Float], Float)] =
    rows(frame).map(row => (row.getAs[scala.collection.Seq[Float]](y).toSeq, row.getAs[Float](sum)))

  test("columns named as the inputs are read, and the outputs become columns of their names") {
    val result = stage(TensorBundle.iris).transform(numbers)
    assert(result.columns.toSeq == Seq("id", "x", "v", "d", "bad", "y", "sum", "error"))
    assert(found(result) == sums)
  }

  test("arrays of floats, of doubles and vectors give the same row, as does SQL") {
    val results = Seq("x", "v", "d").map { column =>
      found(stage(TensorBundle.iris).setInputCols(Array(column)).transform(numbers))
    }
    assert(results.distinct == Seq(sums))
    numbers.createOrReplaceTempView("numbers")
    val sql = spark.sql(
      s"SELECT id, p.y AS y, p.sum AS sum FROM (SELECT id, ml_predict('${TensorBundle.iris.folder}', x) AS p FROM numbers)"
    )
    assert(found(sql) == sums)
  }

  test("inputs and outputs are wired by the Params") {
    val session = spark
    import session.implicits.*
    val table = (1 to 3).map(id => (id, id * 2f, Seq(1f, id.toFloat))).toDF("id", "scale", "values")
    val result = stage(TensorBundle.pair)
      .setInputTensors(Array("b", "a"))
      .setInputCols(Array("values", "scale"))
      .setOutputTensors(Array("y"))
      .setOutputCols(Array("scaled"))
      .transform(table.repartition(2))
    val scaled = rows(result).map(_.getAs[scala.collection.Seq[Float]]("scaled").toSeq)
    assert(scaled == (1 to 3).map(id => Seq(id * 2f, id * id * 2f)))
  }

  test("one of two outputs can be chosen") {
    val result = stage(TensorBundle.iris).setOutputTensors(Array("sum")).transform(numbers)
    assert(result.columns.toSeq == Seq("id", "x", "v", "d", "bad", "sum", "error"))
  }

  test("outputs with a vector head become vectors if vectors is set") {
    val session = spark
    import session.implicits.*
    val table = (1 to 4).map(id => (id, Seq(id.toFloat, -1f))).toDF("id", "x").repartition(2)
    val result = rows(stage(TensorBundle.embed).setVectors(true).transform(table))
    assert(result.map(_.getAs[Vector]("single")) == (1 to 4).map(id => Vectors.dense(id, -1)))
    assert(result.map(_.getAs[Vector]("double")) == (1 to 4).map(id => Vectors.dense(2 * id, -2)))
    val arrays = rows(stage(TensorBundle.embed).transform(table))
    assert(arrays.map(_.getAs[scala.collection.Seq[Double]]("double").toSeq).head == Seq(2d, -2d))
  }

  test("a row of the wrong length has an error, and the rows beside it have their results") {
    val result = rows(stage(TensorBundle.iris).setInputCols(Array("bad")).transform(numbers))
    val codes = result.map(row => Option(row.getAs[Row]("error")).map(_.getString(0)))
    assert(codes == Seq(None, None, Some("INVALID_INPUT"), None))
    assert(
      result.map(row => Option(row.getAs[Any]("sum"))) ==
        Seq(Some(7f), Some(8f), None, Some(10f))
    )
  }

  test("casts decides whether fractions become integers") {
    val session = spark
    import session.implicits.*
    val table = Seq((1, Seq(1.5, -2.5)), (2, Seq(3.0, 4.0))).toDF("id", "x").repartition(2)
    val error = intercept[AnalysisException](stage(TensorBundle.counts).transform(table))
    assert(error.getCondition == "WRONG_COLUMN_TYPE")
    val lossy = rows(stage(TensorBundle.counts).setCasts("lossy").transform(table))
    assert(lossy.map(_.getAs[scala.collection.Seq[Int]]("y").toSeq) == Seq(Seq(1, -2), Seq(3, 4)))
  }

  test("two output columns of one name are refused, also errorCol and in another case") {
    def refused(stage: TensorTransformer): String =
      intercept[AnalysisException](stage.transformSchema(numbers.schema)).getMessage
    val same = refused(stage(TensorBundle.iris).setOutputCols(Array("a", "A")))
    assert(same.startsWith("WRONG_PARAM: Param outputCols of TensorTransformer names a second"))
    val one = stage(TensorBundle.iris).setOutputTensors(Array("y")).setOutputCols(Array("Error"))
    assert(refused(one).startsWith("WRONG_PARAM: Param errorCol of TensorTransformer"))
    assert(one.setHandleInvalid("skip").transform(numbers).columns.last == "Error")
  }

  test("Params that do not fit the model are refused, with the tensors that it has") {
    def refused(stage: TensorTransformer): String = {
      val error = intercept[AnalysisException](stage.transformSchema(numbers.schema))
      assert(error.getCondition == "WRONG_PARAM")
      error.getMessage
    }
    val iris = TensorBundle.iris
    assert(refused(stage(iris).setInputTensors(Array("z"))).contains("the model has x"))
    assert(
      refused(stage(iris).setInputCols(Array("x", "v"))).contains("2 columns for 1 tensors: x")
    )
    assert(refused(stage(iris).setOutputTensors(Array("y", "y"))).contains("'y' twice"))
    assert(
      refused(stage(TensorBundle.pair).setInputTensors(Array("a")).setInputCols(Array("id")))
        .contains("no column for input 'b'")
    )
  }
}
