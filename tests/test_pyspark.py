"""A plain PySpark session with the jar: the functions as columns."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)

SCRIPT = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from sightline.functions import get_image_inference_udf, ml_features, ml_predict

jar, gallery, model, means = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
images = spark.read.format("sightline").load(gallery).where("relative_path = 'red/a.png'")
row = images.select(
    ml_predict(model, "content", {"top_k": "2"}).alias("p"),
    ml_features(means, col("content")).alias("f"),
    get_image_inference_udf("path", "onnx").alias("g"),
).first()
named = images.select(
    ml_predict(model, content=col("content"), options={"top_k": "2"}).alias("p"),
    ml_features(means, content="content", output="means", options={"batch_rows": "1"}).alias("f"),
).first()
print("named", named.p == row.p, named.f == row.f)
print("said", row.p.label, len(row.p.top_k), row.f.features, row.g.error)
"""


def test_the_functions_are_columns_of_pyspark(
    run_in: Callable[..., Done],
    repository: Path,
    jar: Path,
    gallery: Path,
    colour_bundle: Path,
    means_bundle: Path,
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    python = repository / ".venv" / "bin" / "python"
    sources = str(repository / "python" / "src")
    arguments = (jar, gallery, colour_bundle, means_bundle)
    done = run_in(python, script, *arguments, PYTHONPATH=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "named True True" in done.stdout
    assert "said red 2 [255.0, 0.0, 0.0] None" in done.stdout
