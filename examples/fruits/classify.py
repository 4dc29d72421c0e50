"""Train a logistic regression on features or components, and print its accuracy.

    spark-submit examples/fruits/classify.py build/fruits/pca/components --column components

The table has the columns label, split (train, test) and a column of vectors, as written by
`features` and `pca`.
"""

from __future__ import annotations

import argparse
from typing import Any

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StringIndexer
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession


def main() -> None:
    """Fit on the training rows and print one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("table", help="Parquet folder")
    parser.add_argument("--column", default="components", help="features or components")
    parser.add_argument("--regularisation", type=float, default=0.0025, help="regParam of MLlib")
    options = parser.parse_args()

    spark = SparkSession.builder.appName("classify").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    vector = array_to_vector(options.column).alias("vector")
    rows = spark.read.parquet(options.table).where(f"{options.column} IS NOT NULL")
    rows = rows.select("label", "split", vector).cache()
    stages: list[Any] = [
        StringIndexer(inputCol="label", outputCol="class"),
        # All features have the same unit. Equal deviations would make noise as large as signals.
        LogisticRegression(
            featuresCol="vector",
            labelCol="class",
            regParam=options.regularisation,
            standardization=False,
        ),
    ]
    model = Pipeline(stages=stages).fit(rows.where("split = 'train'"))
    right = model.transform(rows.where("split = 'test'")).selectExpr(
        "count(*)", "avg(int(class = prediction))"
    )
    for images, accuracy in right.collect():
        print(f"accuracy {accuracy:.4f} on {images} test images")  # noqa: T201 - the result
    spark.stop()


if __name__ == "__main__":
    main()
