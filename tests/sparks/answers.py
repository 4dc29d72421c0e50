"""Prints the answers of one Spark as JSON, for test_same_answers.py: a name and rows for each case.

answers.py JAR GALLERY COLOUR_MODEL MEANS_MODEL FOLDER: JAR fits the pyspark that is imported.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pyspark
from pyspark.errors import PySparkException
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import DataFrame, SparkSession
from sightline.ml import ImageFeaturizer, ImagePredictor

jar, gallery, colour, means, folder = sys.argv[1:]
spark = (
    SparkSession.builder.master("local-cluster[2,1,1024]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "3")
    .config("spark.sql.files.maxPartitionBytes", "4m")
    .config("spark.sightline.models", f"{folder}/models")
    .config("spark.executor.extraJavaOptions", os.environ.get("EXECUTOR_OPTIONS", ""))
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
spark.read.format("sightline").option("labels", "folder").load(gallery).createOrReplaceTempView(
    "images"
)

PREDICTED = """
    SELECT relative_path AS name, p.label AS label, p.score AS score, p.error.code AS error
    FROM (SELECT relative_path, ml_predict('{colour}', content) AS p FROM images)"""
SQL = {
    "ml_predict": PREDICTED,
    "ml_features": """
        SELECT relative_path, f.features AS features, f.error.code AS error
        FROM (SELECT relative_path, ml_features('{means}', content) AS f FROM images)""",
    "table function": """
        SELECT relative_path, prediction.label AS predicted, error.code AS code
        FROM ml_predict(TABLE(images), '{colour}')""",
    "read_images": "SELECT relative_path, length(content) AS n FROM read_images('{gallery}')",
    "filter on the answer": "SELECT name FROM ({predicted}) WHERE label = 'red' AND score > 0.5",
    "group by the answer": "SELECT label, count(*) AS n FROM ({predicted}) GROUP BY label",
    "order by the answer": "SELECT name, label FROM ({predicted}) ORDER BY score, name",
    "equal calls": """
        SELECT relative_path, ml_predict('{colour}', content).label AS one,
               ml_predict('{colour}', content).score AS two, ml_predict('{colour}', content) AS all
        FROM images""",
    "join of inferred rows": """
        WITH p AS ({predicted})
        SELECT a.name, b.name AS other FROM p a JOIN p b
        ON a.label = b.label AND a.name < b.name""",
    "outer join without a key": """
        WITH p AS ({predicted})
        SELECT p.name, q.n FROM p FULL OUTER JOIN (SELECT 0 AS n) q ON p.score < q.n""",
    "two models": """
        SELECT relative_path, ml_predict('{colour}', content).label AS label,
               element_at(ml_features('{means}', content).features, 1) AS first
        FROM images""",
    "NULL and bytes that are no image": """
        SELECT name, ml_predict('{colour}', content) AS p,
               ml_predict('{colour}', content) IS NULL AS none
        FROM VALUES ('null', CAST(NULL AS BINARY)), ('text', X'00') AS rows(name, content)""",
    "union": """
        SELECT name, label FROM ({predicted}) UNION ALL SELECT name, label FROM ({predicted})""",
    "limit 0": "SELECT * FROM ({predicted}) LIMIT 0",
    "a model that is not there": "SELECT ml_predict('nobody', X'00')",
    "an image that is a text": "SELECT ml_predict('{colour}', 'text')",
}
STATEMENTS = (
    "CREATE MODEL colours USING '{colour}' COMMENT 'three colours'",
    "CREATE MODEL colours USING '{colour}'",
    "CREATE MODEL IF NOT EXISTS colours USING '{colour}'",
    "SHOW MODELS LIKE 'col*'",
    "DESCRIBE MODEL colours",
    "SELECT ml_predict('colours', content).label FROM images WHERE relative_path = 'top.png'",
    "DROP MODEL colours",
    "DROP MODEL colours",
    "SHOW MODELS",
    "CREATE MODEL",
)


def plain(value: Any) -> Any:  # noqa: ANN401
    """The value as JSON has it, without the time of a registration."""
    if isinstance(value, str):
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if hasattr(value, "asDict"):
        return {name: plain(one) for name, one in value.asDict().items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def query(text: str) -> DataFrame:
    """The frame of a text in which names stand for this run's folders."""
    names = {"colour": colour, "means": means, "gallery": gallery}
    return spark.sql(text.format(predicted=PREDICTED.format(**names), **names))


def rows(text: str) -> list[Any]:
    return [plain(row) for row in query(text).collect()]


def answer(work: Callable[[], list[Any]]) -> list[Any]:
    try:
        return work()
    except PySparkException as error:
        kind = type(error).__name__
        return [{"raised": kind, "code": error.getCondition(), "state": error.getSqlState()}]


def stages() -> list[Any]:
    """The rows of two ML stages in a pipeline that was fitted, saved and loaded."""
    predictor = ImagePredictor(model=colour, inputCol="content", outputCol="answer")
    featurizer = ImageFeaturizer(model=means, inputCol="content", outputCol="features")
    fitted = Pipeline(stages=[predictor, featurizer]).fit(spark.table("images"))
    fitted.write().overwrite().save(f"{folder}/pipeline")
    loaded = PipelineModel.load(f"{folder}/pipeline")
    found = loaded.transform(spark.table("images")).select("relative_path", "answer", "features")
    return [
        {"name": row.relative_path, "answer": plain(row.answer), "features": str(row.features)}
        for row in found.collect()
    ]


def cached() -> list[Any]:
    table = query(PREDICTED).cache()
    table.count()
    found = [plain(row) for row in table.where("label = 'blue'").collect()]
    table.unpersist()
    return found


def inferences() -> list[Any]:
    """How many nodes of each query's optimized plan run a model."""
    counts = {}
    for name, text in SQL.items():
        if name not in ("a model that is not there", "an image that is a text", "read_images"):
            plan = query(text)._jdf.queryExecution().optimizedPlan().toString()
            counts[name] = len(re.findall(r"\bInfer ", plan))
    return [counts]


def command() -> list[Any]:
    """The rows of the jar's predict, which runs as an application of this Spark."""
    submit = f"{os.environ.get('SPARK_HOME') or pyspark.__path__[0]}/bin/spark-submit"
    words = ["predict", "--images", gallery, "--model", colour, "--output", f"{folder}/predicted"]
    options = ["--master", "local[2]", "--conf", "spark.ui.enabled=false"]
    done = subprocess.run(  # noqa: S603 - the repository's own program
        [submit, *options, jar, *words, "--labels", "folder"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return [{"status": done.returncode, "message": done.stderr[-500:]}]
    found = spark.read.parquet(f"{folder}/predicted")
    return [
        {
            "name": row.path.rpartition(f"{gallery}/")[2],
            "label": plain(row.prediction and row.prediction.label),
            "error": plain(row.error and row.error.code),
        }
        for row in found.collect()
    ]


SORTED = {"order by the answer"}
found = {name: answer(partial(rows, text)) for name, text in SQL.items()}
found["stages"] = answer(stages)
found["cache"] = answer(cached)
found["inferences"] = answer(inferences)
found["predict"] = answer(command)
found = {
    name: some if name in SORTED else sorted(some, key=lambda row: json.dumps(row, sort_keys=True))
    for name, some in found.items()
}
for number, text in enumerate(STATEMENTS):
    found[f"statement {number}"] = answer(partial(rows, text))
jvm: Any = spark._jvm
java = jvm.java.lang.Runtime.version().feature()
print(json.dumps({"spark": spark.version, "java": str(java), "answers": found}))  # noqa: T201
spark.stop()
