package sightline.ml

import java.awt.Color

import scala.util.Random

import org.apache.spark.ml.classification.LogisticRegression
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.StringIndexer
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.tuning.{
  CrossValidator,
  CrossValidatorModel,
  ParamGridBuilder,
  TrainValidationSplit,
}
import org.apache.spark.ml.{Pipeline, PipelineModel, PipelineStage}
import org.apache.spark.sql.DataFrame
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestImage
import sightline.model.TemporaryFolder
import sightline.schedule.WorkerCounters

/** Tuning in a pipeline that decodes each image once. */
final class CachedPipelineSuite extends AnyFunSuite with StageImages {

  private def featurizer = new ImageFeaturizer().setModel(means).setHandleInvalid("skip")
  private val indexer = new StringIndexer().setInputCol("label").setOutputCol("class")
  private val regression = new LogisticRegression().setLabelCol("class").setMaxIter(2)
  private val accuracy =
    new MulticlassClassificationEvaluator().setLabelCol("class").setMetricName("accuracy")
  private val grid = new ParamGridBuilder()
    .addGrid(regression.regParam, Array(0.001, 0.01, 0.1, 10))
    .addGrid(regression.elasticNetParam, Array(0, 0.5, 1))
    .build()

  private def validator(points: Array[ParamMap]) = new CrossValidator()
    .setEstimator(regression)
    .setEstimatorParamMaps(points)
    .setEvaluator(accuracy)
    .setNumFolds(2)
    .setSeed(5)
    .setParallelism(2)

  /** Images in the colours of three classes that overlap, in three partitions. */
  private def images(count: Int): DataFrame = {
    val session = spark
    import session.implicits.*
    val random = new Random(3)
    val rows = (1 to count).map { id =>
      val channels = Seq.fill(3)(random.nextInt(256))
      val label = Seq("red", "green", "blue")(channels.indexOf(channels.max))
      val noisy = channels.map(value => (value + random.nextInt(60)).min(255))
      (id, label, TestImage.of(new Color(noisy(0), noisy(1), noisy(2))))
    }
    spark.sparkContext.parallelize(rows, 3).toDF("id", "label", "content")
  }

  private def pipeline(search: PipelineStage): CachedPipeline =
    new CachedPipeline().setStages(Array[PipelineStage](featurizer, indexer, search))

  private def decoded(run: => Any): Int = {
    def now = WorkerCounters.of(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = now
    run: Unit
    now - before
  }

  test("columns of equal names do not disturb the fit") {
    val twice = images(12).selectExpr("*", "1 AS n", "2 AS n")
    val fitted = pipeline(regression).fit(twice)
    assert(fitted.transform(twice).columns.count(_ == "n") == 2)
  }

  private def persisted: Set[Int] = spark.sparkContext.getPersistentRDDs.keySet.toSet

  test("a grid of 12 points over 500 images decodes each image once") {
    val table = images(500)
    val before = persisted
    assert(grid.length == 12)
    assert(decoded(pipeline(validator(grid)).fit(table)) == 500)
    assert(persisted == before)
  }

  test("TrainValidationSplit decodes each image once") {
    val before = persisted
    val split = new TrainValidationSplit()
      .setEstimator(regression)
      .setEstimatorParamMaps(grid.take(2))
      .setEvaluator(accuracy)
      .setParallelism(2)
    assert(decoded(pipeline(split).fit(images(50))) == 50)
    assert(persisted == before)
  }

  test("estimators before the featurizer change nothing: each image is decoded once") {
    val before = persisted
    val stages = Array[PipelineStage](indexer, featurizer, validator(grid.take(1)))
    assert(decoded(new CachedPipeline().setStages(stages).fit(images(30))) == 30)
    assert(persisted == before)
  }

  test("Spark's Pipeline decodes each image for the training and validation rows of each fold") {
    val stages = Array[PipelineStage](featurizer, indexer, validator(grid.take(1)))
    // Once for the indexer, twice for each fold, and at least once for the best model.
    assert(decoded(new Pipeline().setStages(stages).fit(images(30))) >= 30 * 6)
  }

  test("the search gives the metrics and the model of the same search on ready features") {
    val table = images(60)
    val found = pipeline(validator(Array(grid.head, grid.last))).fit(table)
    val ready = indexer.fit(table).transform(featurizer.transform(table)).drop("content").cache()
    ready.count(): Unit
    val expected = validator(Array(grid.head, grid.last)).fit(ready)
    ready.unpersist(): Unit
    val search = found.stages.last.asInstanceOf[CrossValidatorModel]
    assert(search.avgMetrics.toSeq == expected.avgMetrics.toSeq)
    assert(search.avgMetrics.toSet.size > 1)
    assert(texts(found.transform(table)) == texts(expected.transform(ready)))
  }

  test("a saved pipeline keeps its grid, and the saved model its predictions") {
    val folder = TemporaryFolder.create("test")
    val table = images(40)
    val own = pipeline(validator(grid.take(1)))
    own.write.save(s"$folder/pipeline")
    val read = CachedPipeline.load(s"$folder/pipeline")
    assert((read.uid, read.getStages.length) == ((own.uid, 3)))
    val search = read.getStages.last.asInstanceOf[CrossValidator]
    assert(
      search.getEstimatorParamMaps.map(_.toSeq.map(_.value).toSet).toSeq ==
        grid.take(1).map(_.toSeq.map(_.value).toSet).toSeq
    )
    assert((search.getNumFolds, search.getParallelism, search.getSeed) == ((2, 2, 5L)))
    val fitted = read.fit(table)
    fitted.write.save(s"$folder/model")
    val loaded = PipelineModel.load(s"$folder/model")
    assert(texts(loaded.transform(table)) == texts(fitted.transform(table)))
  }

  test("a copy with other Params is a cached pipeline with them") {
    val copied = pipeline(regression).copy(ParamMap(regression.regParam -> 0.25))
    assert(copied.getClass == classOf[CachedPipeline])
    assert(copied.getStages.last.asInstanceOf[LogisticRegression].getRegParam == 0.25)
    assert(regression.getRegParam == 0.0)
  }

  test("rows that the user has persisted stay persisted") {
    val table = images(30)
    val before = persisted
    val first = featurizer
    val rows = first.transform(table).drop("content").cache()
    val stages = Array[PipelineStage](first, indexer, regression)
    assert(decoded(new CachedPipeline().setStages(stages).fit(table)) == 30)
    assert(decoded(rows.collect()) == 0)
    rows.unpersist(blocking = true): Unit
    assert(persisted == before)
  }

  test("nothing is decoded if a stage's column is missing or has images, which are not persisted") {
    val table = images(6)
    val noClass = new LogisticRegression().setLabelCol("klass")
    val again = new ImageClassifier().setModel(means).setErrorCol("second")
    Seq(validator(Array(ParamMap.empty)).setEstimator(noClass) -> "klass", again -> "content")
      .foreach { case (stage, column) =>
        assert(decoded {
          val error = intercept[Exception](pipeline(stage).fit(table))
          assert(error.getMessage.contains(column))
        } == 0)
      }
  }
}
