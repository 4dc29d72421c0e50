package sightline.ml

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.execution.streaming.runtime.MemoryStream
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TensorBundle
import sightline.TestFolder.{withFolder, write}
import sightline.schedule.WorkerCounters

/** The stages that predict labels and read files; streams; models without the needed outputs. */
final class ImageStagesSuite extends AnyFunSuite with StageImages {

  test("ImagePredictor gives what ml_predict gives, with topK labels") {
    val images = table(red, text, blue, green)
    images.createOrReplaceTempView("images")
    val sql = rows(
      spark.sql(s"SELECT id, ml_predict('$colour', content, map('top_k', '2')) AS p FROM images")
    ).map(_.getStruct(1))
    val found = rows(new ImagePredictor().setModel(colour).setTopK(2).transform(images))
    val predictions = found.map(row => Option(row.getAs[Row]("prediction")))
    assert(
      predictions.map(_.map(_.getString(0))) == Seq(Some("red"), None, Some("blue"), Some("green"))
    )
    assert(predictions.flatten.map(_.toSeq) == sql.filterNot(_.isNullAt(0)).map(_.toSeq.init))
    assert(predictions.flatten.map(_.getSeq[Row](3).size) == Seq(2, 2, 2))
  }

  test("ImageFileTransformer reads files, and a missing file is an error of its row") {
    withFolder { folder =>
      val session = spark
      import session.implicits.*
      write(folder, "red.png", red)
      write(folder, "blue.png", blue)
      val files =
        Seq((1, s"$folder/red.png"), (2, s"$folder/none.png"), (3, s"file:$folder/blue.png"))
      val paths = spark.sparkContext.parallelize(files, 2).toDF("id", "path")
      def stage = new ImageFileTransformer().setModel(means)
      val features = rows(stage.transform(paths))
      assert(
        features.map(row => Option(row.getAs[Vector]("output")).map(_.argmax)) ==
          Seq(Some(0), None, Some(2))
      )
      assert(
        features.map(row => Option(row.getAs[Row]("error")).map(_.getString(0))) ==
          Seq(None, Some("NOT_FOUND"), None)
      )
      val predictions = rows(stage.setResult("prediction").transform(paths))
      assert(
        predictions.map(row => Option(row.getAs[Row]("output")).map(_.getString(0))) ==
          Seq(Some("red"), None, Some("blue"))
      )
      val tensors = rows(stage.setResult("tensors").transform(paths))
      val logits =
        tensors.map(row => Option(row.getAs[Row]("output")).map(_.getSeq[Float](1).toSeq))
      assert(logits.head.contains(Seq(255f, 0f, 0f)))
      assert(logits(1).isEmpty)
    }
  }

  test("a stream of six images gives six results") {
    val session = spark
    import session.implicits.*
    val source = MemoryStream[(Int, Array[Byte])](session)
    val stage = new ImageFeaturizer().setModel(means)
    val stream = stage
      .transform(source.toDF().toDF("id", "content"))
      .select("id", "features", "error")
      .writeStream
      .format("memory")
      .queryName("streamed")
      .start()
    try {
      source.addData(Seq(1 -> red, 2 -> empty, 3 -> blue)): Unit
      stream.processAllAvailable()
      source.addData(Seq(4 -> green, 5 -> red, 6 -> text)): Unit
      stream.processAllAvailable()
    } finally stream.stop()
    val found = rows(spark.table("streamed"))
    assert(found.map(_.getInt(0)) == (1 to 6))
    assert(
      found.map(row => Option(row.getAs[Vector](1)).map(_.argmax)) ==
        Seq(Some(0), None, Some(2), Some(1), Some(0), None)
    )
  }

  test("two stages with the same model and column decode each image once") {
    def decoded: Int = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val first = new ImageFeaturizer().setModel(means)
    val second = new ImageFeaturizer().setModel(means).setOutputCol("again")
    val before = decoded
    val found = rows(second.transform(first.transform(table(red, none, green, blue))))
    assert(decoded - before == 3)
    val errors = found.map(row => Option(row.getAs[Row]("error")).map(_.getAs[String]("code")))
    assert(errors == Seq(None, Some("INVALID_INPUT"), None, None))
    assert(found.forall(row => row.getAs[Vector]("features") == row.getAs[Vector]("again")))
  }

  test("each image is decoded once, whatever number of outputs are used") {
    def decoded: Int = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = decoded
    val found = new ImageFeaturizer().setModel(means).transform(table(red, green, blue, red))
    assert(found.where("features IS NOT NULL AND error IS NULL").collect().length == 4)
    assert(decoded - before == 4)
  }

  test("a model without features, classes or an image is refused before a row is read") {
    val schema = table(red).schema
    def refused(stage: ModelTransformer): String =
      intercept[AnalysisException](stage.transformSchema(schema)).getCondition
    assert(refused(new ImageFeaturizer().setModel(colour)) == "NO_FEATURES")
    val iris = TensorBundle.iris.folder.toString
    assert(refused(new ImagePredictor().setModel(iris)) == "NO_CLASSES")
    val embed = TensorBundle.embed.folder.toString
    assert(refused(new ImageFeaturizer().setModel(embed)) == "NO_IMAGE_INPUT")
    assert(refused(new ImageFeaturizer().setModel(means).setOutput("logits")) == "WRONG_PARAM")
    assert(refused(new ImageFeaturizer().setModel(means).setBackend("torch")) == "UNKNOWN_BACKEND")
  }

  test(
    "the output can be chosen by name, and a setting of the session holds unless a Param is set"
  ) {
    val images = table(red, blue)
    val stage = new ImageFeaturizer().setModel(means).setOutput("means")
    assert(rows(stage.transform(images)).map(_.getAs[Vector]("features").argmax) == Seq(0, 2))
    def device(frame: DataFrame): String =
      "device (\\w+)".r.findFirstMatchIn(frame.queryExecution.analyzed.toString).get.group(1)
    spark.conf.set("spark.sightline.device", "cpu")
    try {
      assert(device(stage.transform(images)) == "cpu")
      assert(device(stage.setDevice("auto").transform(images)) == "auto")
    } finally spark.conf.unset("spark.sightline.device")
  }
}
