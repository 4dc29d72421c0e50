"""Prints the answers of one Spark as JSON, for test_same_answers.py: a name and rows for each case.

answers.py JAR GALLERY COLOUR_MODEL MEANS_MODEL FOLDER: JAR fits the pyspark that is imported.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from pyspark.errors import PySparkException
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import SparkSession
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
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
spark.read.format("sightline").option("labels", "folder").load(gallery).createOrReplaceTempView(
    "images"
)

PREDICTED = f"""
    SELECT relative_path AS name, p.label AS label, p.score AS score, p.error.code AS error
    FROM (SELECT relative_path, ml_predict('{colour}', content) AS p FROM images)"""
SQL = {
    "ml_predict": PREDICTED,
    "ml_features": f"""
        SELECT relative_path, f.features AS features, f.error.code AS error
        FROM (SELECT relative_path, ml_features('{means}', content) AS f FROM images)""",
    "table function": f"""
        SELECT relative_path, prediction.label AS predicted, error.code AS code
        FROM ml_predict(TABLE(images), '{colour}')""",
    "read_images": f"SELECT relative_path, length(content) AS n FROM read_images('{gallery}')",
    "filter on the answer": f"SELECT name FROM ({PREDICTED}) WHERE label = 'red' AND score > 0.5",
    "group by the answer": f"SELECT label, count(*) AS n FROM ({PREDICTED}) GROUP BY label",
    "order by the answer": f"SELECT name, label FROM ({PREDICTED}) ORDER BY score, name",
    "equal calls": f"""
        SELECT relative_path, ml_predict('{colour}', content).label AS one,
               ml_predict('{colour}', content).score AS two, ml_predict('{colour}', content) AS all
        FROM images""",
    "join of inferred rows": f"""
        WITH p AS ({PREDICTED})
        SELECT a.name, b.name AS other FROM p a JOIN p b ON a.label = b.label AND a.name < b.name""",
    "outer join without a key": f"""
        WITH p AS ({PREDICTED})
        SELECT p.name, q.n FROM p FULL OUTER JOIN (SELECT 0 AS n) q ON p.score < q.n""",
    "two models": f"""
        SELECT relative_path, ml_predict('{colour}', content).label AS label,
               element_at(ml_features('{means}', content).features, 1) AS first
        FROM images""",
    "NULL and bytes that are no image": f"""
        SELECT name, ml_predict('{colour}', content) AS p, ml_predict('{colour}', content) IS NULL AS none
        FROM VALUES ('null', CAST(NULL AS BINARY)), ('text', X'00') AS rows(name, content)""",
    "union": f"""
        SELECT name, label FROM ({PREDICTED}) UNION ALL SELECT name, label FROM ({PREDICTED})""",
    "limit 0": f"SELECT * FROM ({PREDICTED}) LIMIT 0",
    "a model that is not there": "SELECT ml_predict('nobody', X'00')",
    "an image that is a text": f"SELECT ml_predict('{colour}', 'text')",
}
STATEMENTS = (
    f"CREATE MODEL colours USING '{colour}' COMMENT 'three colours'",
    f"CREATE MODEL colours USING '{colour}'",
    f"CREATE MODEL IF NOT EXISTS colours USING '{colour}'",
    "SHOW MODELS LIKE 'col*'",
    "DESCRIBE MODEL colours",
    "SELECT ml_predict('colours', content).label AS label FROM images WHERE relative_path = 'top.png'",
    "DROP MODEL colours",
    "DROP MODEL colours",
    "SHOW MODELS",
    "CREATE MODEL",
)


def plain(value: Any) -> Any:  # noqa: ANN401
    """The value as JSON has it, without the folders of this run."""
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if hasattr(value, "asDict"):
        return {name: plain(one) for name, one in value.asDict().items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def rows(text: str) -> list[Any]:
    return [plain(row) for row in spark.sql(text).collect()]


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
    table = spark.sql(PREDICTED).cache()
    table.count()
    found = [plain(row) for row in table.where("label = 'blue'").collect()]
    table.unpersist()
    return found


SORTED = {"order by the answer"}
found = {name: answer(lambda text=text: rows(text)) for name, text in SQL.items()}
found["stages"] = answer(stages)
found["cache"] = answer(cached)
found = {
    name: some if name in SORTED else sorted(some, key=lambda row: json.dumps(row, sort_keys=True))
    for name, some in found.items()
}
for number, text in enumerate(STATEMENTS):
    found[f"statement {number}"] = answer(lambda text=text: rows(text))
print(json.dumps({"spark": spark.version, "answers": found}))
spark.stop()
