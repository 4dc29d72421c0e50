package sightline.plan

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.functions.{col, lit}
import org.apache.spark.sql.sightline.{BulkFrame, Expressions}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{DataFrame, Row, SparkSession}

import sightline.model.ResultType
import sightline.model.ResultType.{Probabilities, TopK, Vector}
import sightline.schedule.{Inference, WorkerSpec}
import sightline.source.Columns
import sightline.sql.ImageInferenceFunction
import sightline.{ColourBundle, TestFolder, TestImage}

/**
 * The tables of the query shapes, and every model call in two forms: Sightline's SQL functions, and
 * functions with the same results that look up precomputed predictions.
 *
 * `images(id, folder, k, file, content)`, in three files: ids 1 to 3 are red images in folder `red`, 4 a
 * green and 5 to 8 blue images in folder `blue`; 9 is a text, and 10 is NULL. `k` is `id % 3`.
 * `labels(id, label)`: a true label for ids 1 to 8 and 11; id 2 has two.
 */
final class ImageTables(spark: SparkSession, folder: Path) {

  import ImageTables.*

  private val colour = ColourBundle.bundle.folder.toString
  private val means = ColourBundle.means.folder.toString

  private val red = TestImage.of(Color.RED)
  private val green = TestImage.of(Color.GREEN)
  private val blue = TestImage.of(Color.BLUE)
  private val text = "no image".getBytes
  private val none: Array[Byte] = None.orNull

  private val images: Seq[(Int, Array[Byte])] =
    (1 to 10).zip(Seq(red, red, red, green, blue, blue, blue, blue, text, none))

  /** Calls of Sightline's SQL functions. */
  val model: ModelCalls = ModelCalls(
    colour = image => s"ml_predict('$colour', $image)",
    means = image => s"ml_predict('$means', $image)",
    named = (name, image) => s"ml_predict('$name', $image)",
    features = image => s"ml_features('$means', $image)",
    file = path => s"get_image_inference_udf($path, 'onnx')",
    table = table => s"ml_predict(TABLE($table), '$colour')",
    answers = "answers",
    label = image => s"label_of($image)",
  )

  /** The same calls, as functions that look up precomputed predictions. */
  val byHand: ModelCalls = ModelCalls(
    colour = image => s"colour_by_hand($image)",
    means = image => s"means_by_hand($image)",
    named = (_, image) => s"colour_by_hand($image)",
    features = image => s"features_by_hand($image)",
    file = path => s"file_by_hand($path)",
    table = table => s"""(SELECT * EXCEPT (content, answer), answer.*
      |  FROM (SELECT *, row_by_hand(content) AS answer FROM $table))""".stripMargin,
    answers = "answers_by_hand",
    label = image => s"colour_by_hand($image).label",
  )

  def create(): Unit = {
    val session = spark
    import session.implicits.*
    spark.conf.set(ImageInferenceFunction.ModelSetting, colour)
    images.foreach { case (id, bytes) =>
      Option(bytes).foreach(TestFolder.write(folder, s"files/$id.png", _): Unit)
    }
    images
      .map { case (id, bytes) =>
        val file = Option(bytes).map(_ => path(id)).orNull
        (id, if (id <= 3) "red" else "blue", id % 3, file, bytes)
      }
      .toDF("id", "folder", "k", "file", "content")
      .repartitionByRange(3, $"id")
      .write
      .parquet(s"$folder/images")
    spark.read.parquet(s"$folder/images").createOrReplaceTempView("images")
    ((1 to 8).map(id => (id, if (id <= 3) "red" else "blue")) ++ Seq((2, "green"), (11, "red")))
      .toDF("id", "label")
      .repartition(2)
      .write
      .parquet(s"$folder/labels")
    spark.read.parquet(s"$folder/labels").createOrReplaceTempView("labels")
    spark.conf.set(SessionModels.ModelsSetting, s"$folder/models")
    spark.sql(s"CREATE MODEL strongest USING '$colour'"): Unit
    registerPredictions()
    Seq(model, byHand).foreach { calls =>
      spark.sql(
        s"""CREATE OR REPLACE TEMP VIEW ${calls.answers} AS
           |SELECT id, folder, k, content, ${calls.colour(
            "content"
          )} AS r FROM images""".stripMargin
      ): Unit
    }
    spark.sql(
      s"""CREATE OR REPLACE TEMPORARY FUNCTION label_of(image BINARY) RETURNS STRING
         |RETURN ${model.colour("image")}.label""".stripMargin
    ): Unit
  }

  private def path(id: Int): String = folder.resolve(s"files/$id.png").toString

  /** Runs each model once on each distinct image, in plans without Sightline's optimizer rules. */
  private def registerPredictions(): Unit = {
    val colourOf = Inference(ColourBundle.bundle)
    val meansOf = Inference(ColourBundle.means)
    register("colour_by_hand", scalar(colourOf, TopK()))
    register("means_by_hand", scalar(meansOf, TopK()))
    register("features_by_hand", scalar(meansOf, Vector()))
    register("row_by_hand", bulk(colourOf))
    val (probabilities, ofImage) = scalar(colourOf, Probabilities)
    val ofFile = images.collect {
      case (id, bytes) if Option(bytes).nonEmpty => path(id) -> ofImage(key(bytes))
    }
    spark.udf.register(
      "file_by_hand",
      lookUp[String, String](ofFile.toMap, identity),
      probabilities,
    )
  }

  private def register(function: String, rows: (StructType, Map[Seq[Byte], Row])): Unit =
    spark.udf.register(function, lookUp[Array[Byte], Seq[Byte]](rows._2, key), rows._1)

  private def scalar(
      inference: Inference,
      result: ResultType,
  ): (StructType, Map[Seq[Byte], Row]) = {
    val worker = inference.scalar(spark, result)
    val output = result.dataType(inference.bundle.signature).add("error", Columns.ErrorType)
    output -> distinctImages
      .withColumn(
        "answer",
        Expressions.mapped(col("content"))(e => worker.scalar("answer", output, Seq(e))),
      )
      .collect()
      .map(row => key(row.getAs[Array[Byte]](0)) -> row.getStruct(1))
      .toMap
  }

  private def bulk(inference: Inference): (StructType, Map[Seq[Byte], Row]) = {
    val input = distinctImages.select(
      col("content"),
      col("content").as("__input0"),
      lit(None.orNull).cast(Columns.ErrorType).as("__error"),
    )
    val fields = Columns.PredictionType.add("error", Columns.ErrorType)
    val output = fields.foldLeft(new StructType().add("content", "binary"))(_.add(_))
    val worker = inference.bulk(spark, TopK(), WorkerSpec.Columns(Seq("__input0"), "__error"))
    val rows = BulkFrame(worker, input, output)
      .collect()
      .map { row =>
        val prediction = if (row.isNullAt(1)) None.orNull else Row(row.toSeq.slice(1, 5): _*)
        key(row.getAs[Array[Byte]](0)) -> Row(prediction, row.get(5))
      }
      .toMap
    new StructType()
      .add("prediction", Columns.PredictionType)
      .add("error", Columns.ErrorType) -> rows
  }

  private def distinctImages: DataFrame = {
    val session = spark
    import session.implicits.*
    images.map(_._2).distinctBy(key).toDF("content")
  }
}

private object ImageTables {

  /** The image as a Seq, because two arrays with the same elements are not equal. */
  def key(image: Array[Byte]): Seq[Byte] = Option(image).fold(Seq.empty[Byte])(_.toSeq)

  def lookUp[A, K](rows: Map[K, Row], key: A => K): UDF1[A, Row] =
    value => rows.getOrElse(key(value), None.orNull)
}
