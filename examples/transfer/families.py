"""Families of fruit: is a variety that the classifier never saw an apple, a cherry or a tomato?

A third of the varieties is left out of the fit and used as the test, three times, so that every
variety is unseen once. The features of a model are compared with raw pixels, on the same rows and
with the same classifier.
"""

import io
import sys
from functools import reduce

from PIL import Image
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.window import Window
from sightline.ml import ImageFeaturizer


def pixels(content: bytes) -> list[float]:
    """The 32 x 32 pixels of an image, 0 to 1."""
    image = Image.open(io.BytesIO(content)).convert("RGB").resize((32, 32))
    return [value / 255 for value in image.tobytes()]


spark = SparkSession.builder.getOrCreate()
to_pixels = sf.udf(pixels, "array<double>")
images = spark.read.format("sightline").load(sys.argv[1])
# Apple_Golden_2__r0_114_100.jpg is the variety Apple_Golden_2, seen from one side.
named = images.withColumn("variety", sf.regexp_extract("path", r"([^/]+?)__[^/]*$", 1))
number = sf.dense_rank().over(Window.partitionBy("label").orderBy("variety")) - 1
varieties = named.select("label", "variety").distinct().withColumn("number", number)
fruits = named.join(sf.broadcast(varieties.drop("label")), "variety")

featurizer = ImageFeaturizer(model="efficientnet_lite0", handleInvalid="skip")
# Each iteration of a fit runs a task for each partition: few vectors need one for each core.
rows = (
    featurizer.transform(fruits.withColumn("pixels", array_to_vector(to_pixels("content"))))
    .coalesce(spark.sparkContext.defaultParallelism)
    .cache()
)
accuracy = MulticlassClassificationEvaluator(labelCol="class", metricName="accuracy")
for column in ("features", "pixels"):
    classifier = LogisticRegression(featuresCol=column, labelCol="class", regParam=0.01, maxIter=30)
    pipeline = Pipeline(stages=[StringIndexer(inputCol="label", outputCol="class"), classifier])
    predicted = [
        pipeline.fit(rows.where(f"number % 3 <> {third}")).transform(
            rows.where(f"number % 3 = {third}")
        )
        for third in range(3)
    ]
    unseen = reduce(DataFrame.union, predicted)
    print(f"{column:<8} accuracy {accuracy.evaluate(unseen):.4f} on {unseen.count()} images")
