package sightline.ml

import java.awt.Color
import java.io.File
import java.nio.file.{Files, Paths}
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicReference

import scala.jdk.CollectionConverters.*

import org.apache.commons.io.FileUtils
import org.apache.logging.log4j.core.appender.AbstractAppender
import org.apache.logging.log4j.core.config.{Configurator, Property}
import org.apache.logging.log4j.core.{LogEvent, LoggerContext}
import org.apache.logging.log4j.{Level, LogManager}
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.StringIndexer
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.tuning.{CrossValidator, ParamGridBuilder}
import org.apache.spark.sql.functions.udf
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder
import sightline.TestImage
import sightline.schedule.WorkerCounters

/** A classifier that is fitted in Spark on the features of a model. */
final class ImageClassifierSuite extends AnyFunSuite with StageImages {

  private def classifier = new ImageClassifier().setModel(means).setMaxIter(20)

  /** Shades of three colours, in three partitions, with columns id, content and label. */
  private def shades(labels: Seq[String] = Seq("rose", "grass", "sky")): DataFrame = {
    val session = spark
    import session.implicits.*
    val rows = (0 until 18).map { at =>
      val strong = 140 + 6 * at
      val weak = 5 * (at % 4)
      val color = at % 3 match {
        case 0 => new Color(strong, weak, weak)
        case 1 => new Color(weak, strong, weak)
        case _ => new Color(weak, weak, strong)
      }
      (at + 1, TestImage.of(color), labels(at % 3))
    }
    spark.sparkContext.parallelize(rows, 3).toDF("id", "content", "label")
  }

  /** The warnings that the classifier logs during `run`. */
  private def warnings(run: => Any): Seq[String] = {
    val messages = new ConcurrentLinkedQueue[String]
    val appender =
      new AbstractAppender("warnings", None.orNull, None.orNull, false, Property.EMPTY_ARRAY) {
        override def append(event: LogEvent): Unit =
          messages.add(event.getMessage.getFormattedMessage): Unit
      }
    val name = classOf[ImageClassifier].getName
    Configurator.setLevel(name, Level.WARN)
    val logger = LogManager.getContext(false).asInstanceOf[LoggerContext].getLogger(name)
    appender.start()
    logger.addAppender(appender)
    try run: Unit
    finally {
      logger.removeAppender(appender)
      Configurator.setLevel(name, Level.ERROR)
    }
    messages.asScala.toSeq
  }

  private def decoded(run: => Any): Int = {
    def now = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = now
    run: Unit
    now - before
  }

  test("it learns the labels, and predicts them for other images") {
    val model = classifier.fit(shades())
    assert(model.labels.toSeq == Seq("grass", "rose", "sky"))
    val found = rows(model.transform(table(red, text, green, blue)))
    assert(
      found.map(row => Option(row.getAs[String]("predicted_label"))) ==
        Seq(Some("rose"), None, Some("grass"), Some("sky"))
    )
    assert(
      found.map(row => Option(row.getAs[Any]("prediction"))) ==
        Seq(Some(1d), None, Some(0d), Some(2d))
    )
    val probabilities = found.map(row => Option(row.getAs[Vector]("probability")))
    assert(probabilities.flatten.forall(p => math.abs(p.toArray.sum - 1) < 1e-9))
    assert(probabilities.map(_.map(_.argmax)) == Seq(Some(1), None, Some(0), Some(2)))
    val errors = found.map(row => Option(row.getAs[Row]("error")).map(_.getString(0)))
    assert(errors == Seq(None, Some("UNSUPPORTED"), None, None))
  }

  test("a small network is the other head, and its seed makes it repeatable") {
    val mlp = classifier.setHead("mlp").setHiddenLayers(Array(5)).setSeed(7L).setMaxIter(60)
    val models = Seq(mlp.fit(shades()), mlp.fit(shades()))
    val found = models.map(model => rows(model.transform(table(red, green, blue))))
    assert(found.head.map(_.getAs[String]("predicted_label")) == Seq("rose", "grass", "sky"))
    assert(
      found.head.map(_.getAs[Vector]("probability")) ==
        found(1).map(_.getAs[Vector]("probability"))
    )
  }

  test("each training image is decoded once, and the features are released after the fit") {
    assert(decoded(classifier.fit(shades())) == 18)
    assert(spark.sparkContext.getPersistentRDDs.isEmpty)
    assert(decoded(classifier.setHead("mlp").setMaxIter(5).fit(shades())) == 18)
    assert(spark.sparkContext.getPersistentRDDs.isEmpty)
  }

  test(
    "numbers are labels in the order of their size, and a column of StringIndexer keeps its labels"
  ) {
    val session = spark
    import session.implicits.*
    val numbered = shades().withColumn("label", ($"id" % 3) * 5 + 5)
    assert(classifier.fit(numbered).labels.toSeq == Seq("5", "10", "15"))
    val indexer = new StringIndexer().setInputCol("label").setOutputCol("index")
    val indexed = indexer.fit(shades()).transform(shades()).where("label <> 'rose'")
    val model = classifier.setLabelCol("index").fit(indexed)
    assert(model.labels.toSeq == Seq("grass", "rose", "sky"))
    val found = rows(model.transform(table(green, blue)))
    assert(found.map(_.getAs[String]("predicted_label")) == Seq("grass", "sky"))
    assert(found.map(_.getAs[Double]("prediction")) == Seq(0d, 2d))
  }

  test("0.0 and -0.0 are one label, and NaN is refused") {
    val session = spark
    import session.implicits.*
    def labelled(number: Int => Double): DataFrame =
      shades().withColumn("label", udf((id: Int) => number(id)).apply($"id"))
    val zeros = labelled(id => if (id % 3 == 0) 1d else if (id % 2 == 0) -0.0 else 0.0)
    Seq("double" -> Seq("0.0", "1.0"), "float" -> Seq("0.0", "1.0")).foreach {
      case (name, labels) =>
        val model = classifier.fit(zeros.withColumn("label", $"label".cast(name)))
        assert(model.labels.toSeq == labels)
        val found = rows(model.transform(table(red, blue)))
        assert(found.map(_.getAs[String]("predicted_label")) == Seq("0.0", "1.0"))
    }
    val nan = labelled(id => if (id == 7) Double.NaN else (id % 2).toDouble)
    val error = intercept[AnalysisException](classifier.fit(nan))
    assert(
      error.getMessage.startsWith(
        "WRONG_PARAM: Param labelCol of ImageClassifier names column 'label', which has rows with " +
          "the label NaN."
      )
    )
    val text = shades(Seq("NaN", "-0.0", "0.0"))
    assert(classifier.fit(text).labels.toSeq == Seq("-0.0", "0.0", "NaN"))
  }

  test("errors name the classifier, and not the featurizer in it") {
    val images = shades()
    def message(run: => Any): String = intercept[AnalysisException](run: Unit).getMessage
    val column = "UNKNOWN_COLUMN: the table of ImageClassifier has no column 'photo'"
    assert(message(classifier.setInputCol("photo").fit(images)).startsWith(column))
    val noModel = new ImageClassifier()
    assert(
      message(noModel.fit(images)).startsWith("WRONG_PARAM: Param model of ImageClassifier is")
    )
    val taken = images.withColumnRenamed("label", "error")
    val exists = message(classifier.setLabelCol("error").fit(taken))
    assert(exists.startsWith("OUTPUT_COLUMN_EXISTS: ImageClassifier writes column 'error'"))
    val model = classifier.fit(images).setHandleInvalid("error")
    val failing = intercept[Exception](model.transform(table(text)).collect()).getMessage
    assert(failing.contains("ROW_FAILED: ImageClassifierModel"))
    val plan = model.transform(table(red)).queryExecution.analyzed.toString
    assert(plan.contains("ImageClassifierModel[") && !plan.contains("ImageFeaturizer"))
  }

  test("columns of equal names pass through the stages") {
    val session = spark
    import session.implicits.*
    val model = classifier.fit(shades())
    val failed = "named_struct('code', 'IO', 'stage', 'read', 'message', 'x') AS error"
    val twice = table(red, blue).selectExpr("id", "content", failed, "1 AS n", "2 AS n")
    val featurized = new ImageFeaturizer().setModel(means).transform(twice)
    assert(featurized.columns.toSeq == Seq("id", "content", "n", "n", "features", "error"))
    val classified = model.transform(featurized)
    val added = Seq("prediction", "predicted_label", "probability", "error")
    assert(classified.columns.toSeq == Seq("id", "content", "n", "n", "features") ++ added)
    val found = classified.orderBy("id").collect().toSeq
    assert(
      found.map(row => (row.get(2), row.get(3), row.getAs[String]("predicted_label"))) ==
        Seq((1, 2, "rose"), (1, 2, "sky"))
    )
    assert(found.map(_.getAs[Row]("error").getString(0)) == Seq("IO", "IO"))
    val skipped = model.setHandleInvalid("skip").transform(twice.drop("error"))
    assert(skipped.columns.toSeq == Seq("id", "content", "n", "n") ++ added.init)
    assert(skipped.count() == 2)
    def condition(frame: DataFrame): String =
      intercept[AnalysisException](
        new ImageFeaturizer().setModel(means).transform(frame)
      ).getCondition
    val images = table(red)
    assert(condition(images.select($"*", $"content")) == "AMBIGUOUS_COLUMN")
    assert(condition(images.selectExpr("*", failed, failed)) == "AMBIGUOUS_COLUMN")
  }

  test("rows with an error or without a label are left out; too few labels are refused") {
    val session = spark
    import session.implicits.*
    val bad = Seq((19, text, "rose"), (20, red, None.orNull), (21, none, "sky"))
    val all = shades().union(bad.toDF("id", "content", "label"))
    val models = new AtomicReference[ImageClassifierModel]
    val logged = warnings(models.set(classifier.fit(all)))
    val leftOut = "leaves out 3 of 21 rows: 2 with an error, 1 without a label"
    assert(logged.exists(_.contains(leftOut)), logged.toString)
    val model = models.get
    val expected = classifier.fit(shades()).transform(table(red, blue))
    assert(
      rows(model.transform(table(red, blue))).map(_.getAs[String]("predicted_label")) ==
        rows(expected).map(_.getAs[String]("predicted_label"))
    )
    val one = all.where("id > 18 OR label = 'rose'")
    val error = intercept[AnalysisException](classifier.fit(one))
    assert(error.getCondition == "NOTHING_TO_FIT")
    assert(
      error.getMessage.contains(
        "It found 6 rows with features and a label, of 1 labels; 2 rows have an error and 1 rows have no label"
      )
    )
    val failing = intercept[Exception](classifier.setHandleInvalid("error").fit(all))
    assert(
      Iterator
        .iterate[Throwable](failing)(_.getCause)
        .takeWhile(Option(_).isDefined)
        .exists(_.getMessage.contains("ROW_FAILED"))
    )
  }

  test("CrossValidator keeps the Params, and tries those of the grid") {
    val indexed = new StringIndexer().setInputCol("label").setOutputCol("index").fit(shades())
    val stage = classifier.setLabelCol("index").setBatchRows(5)
    val grid = new ParamGridBuilder().addGrid(stage.regParam, Array(0.001, 1000.0)).build()
    val validator = new CrossValidator()
      .setEstimator(stage)
      .setEstimatorParamMaps(grid)
      .setEvaluator(
        new MulticlassClassificationEvaluator().setLabelCol("index").setMetricName("logLoss")
      )
      .setNumFolds(2)
      .setSeed(3)
    val best =
      validator.fit(indexed.transform(shades())).bestModel.asInstanceOf[ImageClassifierModel]
    assert((best.getRegParam, best.getBatchRows, best.getModel) == ((0.001, 5, means)))
    assert(best.getModelSha256.length == 64)
    val other = stage.copy(ParamMap(stage.regParam -> 1.0))
    assert((other.getRegParam, stage.getRegParam) == ((1.0, 0.0)))
  }

  test("a fitted model keeps its features' model, whatever its name refers to later") {
    withFolder { folder =>
      val bundle = folder.resolve("means")
      FileUtils.copyDirectory(new File(means), bundle.toFile)
      val model = classifier.setModel(bundle.toString).fit(shades())
      val manifest = bundle.resolve("model.json")
      Files.writeString(manifest, Files.readString(manifest).replace("\"tests\"", "\"others\""))
      val found = rows(model.transform(table(red, blue)))
      assert(found.map(_.getAs[String]("predicted_label")) == Seq("rose", "sky"))
      val other = intercept[AnalysisException](
        model.copy(ParamMap(model.model -> colour)).transform(table(red))
      )
      assert(other.getCondition == "MODEL_CHANGED")
    }
  }

  test("flowers: at least 86 % of the test images are right") {
    val session = spark
    import session.implicits.*
    val model = RealImages.featurizer()
    def flowers(split: String): DataFrame = {
      val files =
        RealImages.flowers(split).map(file => (file.toString, file.getParent.getFileName.toString))
      val rows = files.map { case (file, label) =>
        (file, label, Files.readAllBytes(Paths.get(file)))
      }
      session.sparkContext.parallelize(rows, 8).toDF("path", "label", "content")
    }
    val fitted = new ImageClassifier().setModel(model).fit(flowers("train"))
    val right = fitted
      .transform(flowers("test"))
      .select($"label" === $"predicted_label")
      .as[Boolean]
      .collect()
    val accuracy = right.count(identity).toDouble / right.length
    info(f"${100 * accuracy}%.1f %% of ${right.length} test images")
    assert(right.length == 100)
    assert(accuracy >= 0.86)
  }

  test("two output columns of one name are refused") {
    val stage = new ImageClassifier().setModel(means).setProbabilityCol("PREDICTION")
    val schema = table(red).selectExpr("*", "'red' AS label").schema
    val error = intercept[AnalysisException](stage.transformSchema(schema))
    assert(error.getMessage.startsWith("WRONG_PARAM: Param probabilityCol of ImageClassifier"))
    val other = intercept[AnalysisException] {
      stage.setProbabilityCol("p").setErrorCol("prediction").transformSchema(schema)
    }
    assert(other.getMessage.startsWith("WRONG_PARAM: Param errorCol of ImageClassifier"))
  }
}
