"""The SQL function from spark-sql, with only the jar and the session extensions."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)

LOADED = re.compile(r"^sightline: loaded (\w+) \((\w+), \w+, sha256 \w+\) in process (\d+)$", re.M)


@pytest.fixture(scope="module")
def answers(spark_sql: Callable[..., Done], cards: Path) -> Done:
    """Both backends over sixteen partitions on two cores; then a missing file, and no path."""
    return spark_sql(
        f"""
        CREATE TEMPORARY VIEW cards USING csv OPTIONS (path '{cards}', header 'true');
        CREATE TEMPORARY VIEW spread AS
          SELECT /*+ REPARTITION(16) */ '{cards.parent}/' || image_path AS path FROM cards;
        SELECT 'onnx', path, r.label, r.class_id, r.confidence, size(r.probabilities), r.error.code
          FROM (SELECT path, get_image_inference_udf(path, 'onnx') AS r FROM spread);
        SELECT 'pytorch', path, r.label, r.class_id, r.confidence, size(r.probabilities),
          r.error.code FROM (SELECT path, get_image_inference_udf(path) AS r FROM spread);
        SELECT 'missing', get_image_inference_udf('/nowhere.jpg', 'onnx').error.code;
        SELECT 'null', get_image_inference_udf(CAST(NULL AS STRING), 'onnx');
        """  # noqa: S608 - a folder of pytest's own
    )


def lines_of(done: Done, kind: str) -> list[list[str]]:
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return sorted(line[1:] for line in lines if line[0] == kind)


def test_both_backends_give_the_same_label_for_every_card(answers: Done) -> None:
    assert answers.returncode == 0, answers.stderr
    onnx, pytorch = lines_of(answers, "onnx"), lines_of(answers, "pytorch")
    assert len(onnx) == len(pytorch) == 12
    for one, other in zip(onnx, pytorch, strict=True):
        assert one[:3] == other[:3]
        assert float(one[3]) == pytest.approx(float(other[3]), abs=1e-3)
        assert one[4:] == ["3", "NULL"]


def test_the_function_gives_the_results_of_predict(
    answers: Done,
    alone: Callable[..., Done],
    cards: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    output = tmp_path / "out"
    done = alone("predict", "--images", cards, "--model", "id_fraud", "--output", output)
    assert done.returncode == 0, done.stderr
    rows = {f"{cards.parent}/{row['path']}": row["prediction"] for row in rows_of(output)}
    for path, label, class_id, confidence, *_ in lines_of(answers, "onnx"):
        assert (label, int(class_id)) == (rows[path]["label"], rows[path]["class_id"])
        assert float(confidence) == pytest.approx(rows[path]["score"], abs=1e-5)


def test_a_missing_file_gives_an_error_and_a_null_path_gives_null(answers: Done) -> None:
    assert lines_of(answers, "missing") == [["NOT_FOUND"]]
    assert lines_of(answers, "null") == [["NULL"]]


def test_a_model_is_loaded_once_in_each_worker_process(answers: Done) -> None:
    loads = LOADED.findall(answers.stderr)
    assert {(model, backend) for model, backend, _ in loads} == {
        ("id_fraud", "onnx"),
        ("id_fraud", "pytorch"),
    }
    assert set(Counter(loads).values()) == {1}
    # Sixteen tasks of each backend on two cores run in two processes, one per core.
    assert max(Counter(backend for _, backend, _ in loads).values()) <= 2


def test_wrong_use_is_one_line_without_a_trace(spark_sql: Callable[..., Done]) -> None:
    done = spark_sql("SELECT get_image_inference_udf('a.jpg', 'tensorflow')")
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if "UNKNOWN_BACKEND" in line]
    assert len(errors) == 1
    assert "'tensorflow'. Known: onnx, pytorch, openvino, python." in errors[0]
    assert "\tat " not in done.stderr


TWO_SESSIONS = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
query = f"SELECT get_image_inference_udf('{sys.argv[1]}', 'onnx').class_id AS said"
for session in (spark, spark.newSession()):
    print("said", session.sql(query).first().said)
"""


def test_each_session_of_a_cluster_can_use_the_model(
    run_in: Callable[..., Done], spark_home: Path, jar: Path, cards: Path, tmp_path: Path
) -> None:
    script = tmp_path / "two_sessions.py"
    script.write_text(TWO_SESSIONS)
    image = next(cards.parent.glob("all_images/*.jpg"))
    done = run_in(
        spark_home / "bin" / "spark-submit",
        *("--master", "local-cluster[1,2,1024]", "--jars", jar),
        *("--conf", "spark.sql.extensions=sightline.sql.SightlineExtensions"),
        *("--conf", "spark.ui.enabled=false"),
        script,
        image,
        SPARK_HOME=str(spark_home),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [line for line in done.stdout.splitlines() if line.startswith("said ")]
    assert len(answers) == 2
    assert len(set(answers)) == 1
