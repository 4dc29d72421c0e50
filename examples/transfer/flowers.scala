// Flowers by transfer learning: a model's features, and Spark's logistic regression on them.
import org.apache.spark.ml.Pipeline
import org.apache.spark.ml.classification.LogisticRegression
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.StringIndexer
import sightline.ml.ImageFeaturizer

val folder = spark.conf.get("spark.flowers.folder")
val Seq(train, test) = Seq("train", "test").map(part => spark.read.format("sightline").load(s"$folder/$part"))
val pipeline = new Pipeline().setStages(Array(
  new StringIndexer().setInputCol("label").setOutputCol("class"),
  new ImageFeaturizer().setModel("efficientnet_lite0").setHandleInvalid("skip"),
  new LogisticRegression().setLabelCol("class"),
))
val model = pipeline.fit(train)
val accuracy = new MulticlassClassificationEvaluator().setLabelCol("class").setMetricName("accuracy")
println(f"accuracy ${accuracy.evaluate(model.transform(test))}%.4f on ${test.count()} test images")
model.write.overwrite().save(spark.conf.get("spark.flowers.saved"))
sys.exit()
