"""The examples of transfer learning, in Python and in Scala, on real photographs."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.sql import SparkSession

Done = subprocess.CompletedProcess[str]
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]


@pytest.fixture(scope="module")
def example(repository: Path, jar: Path, run_in: Callable[..., Done]) -> Callable[..., str]:
    """``example("spark-submit", …)`` returns what the program printed."""

    def run(program: str, *arguments: object) -> str:
        done = run_in(
            repository / ".venv" / "bin" / program,
            *("--master", "local[2]", "--jars", jar),
            *("--conf", "spark.sql.extensions=sightline.sql.SightlineExtensions"),
            *("--conf", f"spark.sightline.models={repository / 'models'}"),
            *("--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR"),
            *("--conf", "spark.sql.shuffle.partitions=2"),
            *arguments,
            PYTHONPATH=str(repository / "python" / "src"),
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


def accuracy(text: str, what: str) -> float:
    found = re.search(rf"accuracy (0\.\d+) on {what}", text)
    assert found, text
    return float(found[1])


def test_python_and_scala_fit_the_same_classifier_of_flowers_and_exchange_it(
    spark: SparkSession, example: Callable[..., str], repository: Path, shared: Path, tmp_path: Path
) -> None:
    flowers, programs = shared / "flowers" / "dev", repository / "examples" / "transfer"
    by_python = example("spark-submit", programs / "flowers.py", flowers, tmp_path / "python")
    by_scala = example(
        "spark-shell",
        *("--conf", f"spark.flowers.folder={flowers}"),
        *("--conf", f"spark.flowers.saved={tmp_path / 'scala'}"),
        *("-I", programs / "flowers.scala"),
    )
    score = accuracy(by_python, "100 test images")
    assert accuracy(by_scala, "100 test images") == score
    assert score >= 0.86

    # The pipeline of Scala gives the same rows in this Python process, in another folder.
    (tmp_path / "scala").rename(tmp_path / "moved")
    loaded = PipelineModel.load(str(tmp_path / "moved"))
    test = spark.read.format("sightline").load(str(flowers / "test"))
    evaluator = MulticlassClassificationEvaluator(labelCol="class", metricName="accuracy")
    rows = loaded.transform(test).select("path", "class", "prediction").cache()
    assert evaluator.evaluate(rows) == pytest.approx(score)
    of_python = PipelineModel.load(str(tmp_path / "python")).transform(test)
    assert sorted(rows.collect()) == sorted(
        of_python.select("path", "class", "prediction").collect()
    )

    # A model with one changed byte is refused by its name.
    (copy,) = (tmp_path / "moved").glob("stages/*/model/*.zip")
    with zipfile.ZipFile(copy) as archive:
        files = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    (labels,) = (name for name in files if name.endswith("labels.txt"))
    files[labels][0] ^= 1
    with zipfile.ZipFile(copy, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, bytes(content))
    shutil.rmtree(tmp_path / "python")
    with pytest.raises(Exception, match=r"(?s)(MODEL_CHANGED|BUNDLE_CORRUPT).*efficientnet_lite0"):
        PipelineModel.load(str(tmp_path / "moved"))


def test_features_name_the_family_of_unseen_varieties_better_than_pixels_do(
    example: Callable[..., str], repository: Path, shared: Path
) -> None:
    program = repository / "examples" / "transfer" / "families.py"
    text = example("spark-submit", program, shared / "fruits" / "dev3")
    found = re.findall(r"(\w+) +accuracy ([\d.]+) on 980 images", text)
    scores = {name: float(score) for name, score in found}
    assert scores["features"] > 0.74
    assert scores["features"] > scores["pixels"] + 0.05
