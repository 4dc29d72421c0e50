package sightline.schedule

import java.awt.Color

import org.apache.spark.SparkException
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sightline.{BulkFrame, Expressions}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.model.ResultType.TopK
import sightline.plan.InferTable
import sightline.source.Columns
import sightline.{ColourBundle, LocalSpark, SightlineException, TestImage}

/** Inference from a plan through Spark's Python workers, with a real model. */
final class InferenceSuite extends AnyFunSuite with LocalSpark {

  private val input = new StructType()
    .add("path", "string")
    .add("n", "int")
    .add("__content", "binary")
    .add("__error", Columns.ErrorType)

  private def none: String = None.orNull

  private val notFound = Row("NOT_FOUND", "read", "it is gone")

  private val images: Seq[Row] = Seq(
    Row("red", 1, TestImage.of(Color.RED), none),
    Row("green", 2, TestImage.of(Color.GREEN, "jpg"), none),
    Row("text", 3, "no image".getBytes, none),
    Row("gone", 4, none, notFound),
    Row("empty", 5, Array.empty[Byte], none),
    Row("nothing", 6, none, none),
    Row("blue", 7, TestImage.of(Color.BLUE, "bmp"), none),
  )

  private def frame(rows: Seq[Row], partitions: Int = 1): DataFrame =
    spark.createDataFrame(spark.sparkContext.parallelize(rows, partitions), input)

  private def predict(inference: Inference, rows: DataFrame, topK: Int = 5): DataFrame =
    InferTable.images("predict", inference, TopK(topK), rows)

  private val columns = WorkerSpec.Columns(Seq("__content"), "__error")

  private val expected = Map(
    "red" -> "red",
    "green" -> "green",
    "blue" -> "blue",
    "text" -> "UNSUPPORTED",
    "gone" -> "NOT_FOUND",
    "empty" -> "EMPTY",
    "nothing" -> "EMPTY",
  )

  test("each image gives one row in order, with either a prediction or an error") {
    val rows = predict(Inference(ColourBundle.bundle), frame(images)).collect().toSeq
    assert(
      rows.map(row => (row.getString(0), row.getInt(1))) == images.map(r => (r.get(0), r.get(1)))
    )
    rows.foreach { row =>
      assert(row.isNullAt(2) != row.isNullAt(3))
      val found = if (row.isNullAt(2)) row.getStruct(3) else row.getStruct(2)
      assert(found.getString(0) == expected(row.getString(0)))
    }
    assert(rows(3).getStruct(3) == notFound)
  }

  test("top_k is sorted by score, and the scores of all labels add up to 1") {
    val rows = predict(Inference(ColourBundle.bundle), frame(images.take(1))).collect()
    val prediction = rows.head.getStruct(2)
    val top = prediction.getSeq[Row](3)
    assert(top.head == Row(prediction.get(0), prediction.get(1), prediction.get(2)))
    assert(top.map(_.getString(0)).toSet == Set("red", "green", "blue"))
    assert(top.map(_.getFloat(2)) == top.map(_.getFloat(2)).sorted.reverse)
    assert(math.abs(top.map(_.getFloat(2)).sum - 1) < 1e-5)
    assert(math.abs(prediction.getFloat(2) - math.exp(10) / (math.exp(10) + 2)) < 1e-5)
    val two =
      predict(Inference(ColourBundle.bundle), frame(images.take(1)), topK = 2).collect()
    assert(two.head.getStruct(2).getSeq[Row](3) == top.take(2))
  }

  test("many partitions and batches lose and duplicate no row") {
    val many = (0 until 500).map(i => Row(s"$i", i, images(i % 7).get(2), images(i % 7).get(3)))
    val rows =
      predict(
        Inference(ColourBundle.bundle, InferenceSettings(batchRows = BatchRows.Fixed(7))),
        frame(many, 6),
      )
        .collect()
    assert(rows.map(_.getInt(1)).sorted.toSeq == (0 until 500))
    rows.foreach { row =>
      val found = if (row.isNullAt(2)) row.getStruct(3) else row.getStruct(2)
      assert(found.getString(0) == expected(images(row.getInt(1) % 7).getString(0)))
    }
  }

  test("an input without rows gives no rows") {
    assert(predict(Inference(ColourBundle.bundle), frame(Nil)).collect().isEmpty)
  }

  test("the scalar route gives the same results as the bulk route") {
    val inference = Inference(ColourBundle.bundle)
    val bulk = predict(inference, frame(images, 3)).collect().map(r => r.getString(0) -> r).toMap
    val input =
      frame(images, 3).selectExpr("path", "struct(__content AS content, __error AS error) AS image")
    val worker = inference.scalar(spark, TopK())
    val output = Columns.PredictionType.add("error", Columns.ErrorType)
    val answers = input
      .select(
        col("path"),
        Expressions
          .mapped(col("image"))(e => worker.scalar("answers", output, Seq(e)))
          .as("answers"),
      )
      .select("path", "answers.*")
      .collect()
    assert(answers.length == images.size)
    answers.foreach { row =>
      val same = bulk(row.getString(0))
      assert(row.get(5) == same.get(3))
      if (row.isNullAt(5)) assert(Row(row.toSeq.slice(1, 5): _*) == same.getStruct(2))
      else assert(row.toSeq.slice(1, 5).forall(Option(_).isEmpty))
    }
  }

  test("an image with too many pixels in its header gives TOO_LARGE") {
    val large = Seq(Row("large", 1, TestImage.of(Color.RED, width = 101, height = 100), none))
    val Array(row) = predict(
      Inference(ColourBundle.bundle, images = ImageSettings(maxPixels = 10_099)),
      frame(large),
    )
      .collect(): @unchecked
    assert(row.getStruct(3).getString(0) == "TOO_LARGE")
    val Array(fits) = predict(
      Inference(ColourBundle.bundle, images = ImageSettings(maxPixels = 10_100)),
      frame(large),
    )
      .collect(): @unchecked
    assert(fits.isNullAt(3))
  }

  test("a backend without a variant is rejected before any task starts") {
    val error = intercept[SightlineException](
      Inference(ColourBundle.bundle, InferenceSettings("pytorch")).check(spark)
    )
    assert(error.code == "NO_VARIANT")
  }

  test("device cuda without a GPU is rejected and does not fall back to the CPU") {
    val hasCuda = sightline.TestPython.run(
      "import onnxruntime; print('CUDAExecutionProvider' in onnxruntime.get_available_providers())"
    )
    assume(hasCuda == "False", "onnxruntime has CUDA here")
    val error =
      intercept[SightlineException](
        Inference(ColourBundle.bundle, InferenceSettings(device = "cuda")).check(spark)
      )
    assert((error.code, error.exitStatus) == (("DEVICE_UNAVAILABLE", 2)))
  }

  test("a worker with another protocol is rejected with PROTOCOL_MISMATCH") {
    val worker = Inference(ColourBundle.bundle).bulk(spark, TopK(), columns)
    val other = worker.copy(spec =
      worker.spec.replace(s"\"protocol\":${WorkerSpec.Protocol}", "\"protocol\":9")
    )
    val output = new StructType().add("path", "string").add("n", "int")
    val error = intercept[SparkException](BulkFrame(other, frame(images), output).collect())
    assert(error.getMessage.contains("PROTOCOL_MISMATCH: the jar has protocol 9"))
  }

  test("a model whose bytes differ from those on the driver is rejected") {
    val worker = Inference(ColourBundle.bundle).bulk(spark, TopK(), columns)
    val other = worker.copy(spec = worker.spec.replace(ColourBundle.bundle.sha256, "0" * 64))
    val output = new StructType().add("path", "string").add("n", "int")
    val error = intercept[SparkException](BulkFrame(other, frame(images), output).collect())
    assert(error.getMessage.contains("MODEL_CHANGED"))
  }
}
