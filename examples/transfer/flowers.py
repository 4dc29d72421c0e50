"""Flowers by transfer learning: a model's features, and Spark's logistic regression on them."""

import sys

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer
from pyspark.sql import SparkSession
from sightline.ml import ImageFeaturizer

folder, saved = sys.argv[1], sys.argv[2]
spark = SparkSession.builder.getOrCreate()

train = spark.read.format("sightline").load(f"{folder}/train")
test = spark.read.format("sightline").load(f"{folder}/test")
pipeline = Pipeline(
    stages=[
        StringIndexer(inputCol="label", outputCol="class"),
        ImageFeaturizer(model="efficientnet_lite0", handleInvalid="skip"),
        LogisticRegression(labelCol="class"),
    ]
)
model = pipeline.fit(train)
accuracy = MulticlassClassificationEvaluator(labelCol="class", metricName="accuracy")
print(f"accuracy {accuracy.evaluate(model.transform(test)):.4f} on {test.count()} test images")
model.write().overwrite().save(saved)

# A quick experiment needs fewer images: a sample of two classes, split at random.
sample = train.union(test).sampleBy("label", {"roses": 0.5, "tulips": 0.5}, seed=7)
few, rest = sample.randomSplit([0.8, 0.2], seed=7)
part = accuracy.evaluate(pipeline.fit(few).transform(rest))
print(f"accuracy {part:.4f} on {rest.count()} of {sample.count()} sampled roses and tulips")
