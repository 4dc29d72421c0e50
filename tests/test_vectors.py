"""Vectors: near duplicates and drift of photographs from PySpark, and the examples of the page."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(900)

SCRIPT = """
import json, sys
from pyspark.sql import SparkSession
from sightline.vectors import (
    feature_drift, near_duplicates, vector_cosine_similarity, vector_inner_product,
    vector_l2_distance,
)

jar, model, folder = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.sql.shuffle.partitions", "3")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)

def features(name):
    table = spark.read.format("sightline").load(f"{folder}/{name}").selectExpr(
        "relative_path AS path", f"ml_features('{model}', content).features AS features")
    table.write.parquet(f"{folder}/features/{name}")
    return spark.read.parquet(f"{folder}/features/{name}").repartition(3)

def rows(frame):
    return [row.asDict() for row in frame.collect()]

spark.sql("SELECT array(3F, 4F) AS a, array(6F, 9F) AS b").createOrReplaceTempView("pair")
pair = spark.table("pair")
found = {"values": rows(pair.select(
    vector_cosine_similarity("a", "b").alias("cosine"),
    vector_inner_product("a", pair.b).alias("product"),
    vector_l2_distance("a", "b").alias("distance"),
))}
found["duplicates"] = rows(near_duplicates(features("photos"), 0.9))
found["direct"] = rows(spark.sql(
    "WITH f AS (SELECT relative_path AS path, ml_features(:model, content).features AS features "
    "FROM read_images(:photos)) SELECT * FROM near_duplicates(TABLE(f), 0.9)",
    args={"model": model, "photos": f"{folder}/photos"},
))

# The matrices of all 1,280 features would take most of the time.
def some_features(name):
    return features(name).selectExpr("path", "slice(features, 1, 160) AS features")

flowers = some_features("flowers_a")
found["flowers"] = rows(feature_drift(flowers, some_features("flowers_b")))
found["fruits"] = rows(feature_drift(flowers, some_features("fruits")))
print("found", json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of photographs: `photos` has five flowers and four versions of the first one."""
    folder = tmp_path_factory.mktemp("vectors")
    flowers = sorted((shared / "flowers/dev/train").rglob("*.jpg"))
    fruits = sorted((shared / "fruits/dev/Training").rglob("*.jpg"))
    photos = folder / "photos"
    photos.mkdir()
    for number, path in enumerate(flowers[::80][:5]):
        (photos / f"{number}.jpg").symlink_to(path)
    with Image.open(flowers[0]) as image:
        for quality in (90, 75, 60):
            image.save(photos / f"copy{quality}.jpg", quality=quality)
        image.save(photos / "copy.png")
    for name, paths in (
        ("flowers_a", flowers[::8]),
        ("flowers_b", flowers[4::8]),
        ("fruits", fruits[::29]),
    ):
        (folder / name).mkdir()
        for number, path in enumerate(paths[:50]):
            (folder / name / f"{number:02d}.jpg").symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def found(
    run_in: Callable[..., Done], repository: Path, jar: Path, folder: Path
) -> dict[str, list[dict[str, Any]]]:
    model = repository / "models" / "efficientnet_lite0"
    if not (model / "model.json").is_file():
        pytest.skip(f"no bundle in {model} (make setup makes it)")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    python = repository / ".venv" / "bin" / "python"
    sources = str(repository / "python" / "src")
    done = run_in(python, script, jar, model, folder, PYTHONPATH=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    result: dict[str, list[dict[str, Any]]] = json.loads(line.removeprefix("found "))
    return result


def test_the_functions_are_columns_of_pyspark(found: dict[str, Any]) -> None:
    (values,) = found["values"]
    assert values["product"] == 54
    assert values["distance"] == pytest.approx(34**0.5, rel=1e-6)
    assert values["cosine"] == pytest.approx(54 / (5 * 117**0.5), rel=1e-6)


@pytest.mark.parametrize("route", ["duplicates", "direct"])
def test_encodings_of_one_photograph_are_one_group_and_other_photographs_are_in_none(
    found: dict[str, Any], route: str
) -> None:
    rows = sorted(found[route], key=lambda row: str(row["path"]))
    members = ["0.jpg", "copy.png", "copy60.jpg", "copy75.jpg", "copy90.jpg"]
    assert [row["path"] for row in rows] == members
    assert {row["group_id"] for row in rows} == {"0.jpg"}
    assert rows[0]["similarity"] == pytest.approx(1, abs=1e-6)
    assert all(0.8 < row["similarity"] < 1.000001 for row in rows[1:])


def overall(rows: list[dict[str, Any]]) -> dict[str, tuple[float, str | None]]:
    return {
        row["measure"]: (row["value"], row["verdict"]) for row in rows if row["feature"] is None
    }


def test_flowers_do_not_drift_from_flowers_but_fruits_do(found: dict[str, Any]) -> None:
    flowers, fruits = overall(found["flowers"]), overall(found["fruits"])
    assert len(found["flowers"]) == 5 + 2 * 160
    for rows in (flowers, fruits):
        assert rows["rows_reference"] == rows["rows_current"] == (50, None)
    assert flowers["domain_classifier_auc"][1] == "none"
    assert flowers["drifted_features"][1] == "none"
    assert fruits["domain_classifier_auc"][0] > 0.95
    assert fruits["domain_classifier_auc"][1] == "large"
    assert fruits["drifted_features"][1] != "none"
    assert fruits["frechet_distance"][0] > 1.5 * flowers["frechet_distance"][0]


EXAMPLE = re.compile(r"^```sql\n(.*?)^```\n\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def test_every_sql_example_of_the_page_gives_what_it_says(
    spark_sql: Callable[..., Done], repository: Path
) -> None:
    examples = EXAMPLE.findall((repository / "docs" / "vectors.md").read_text("utf-8"))
    assert len(examples) == 3
    done = spark_sql("\n".join(sql for sql, _ in examples))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "".join(text for _, text in examples)
