"""`sightline tune`, and the pipeline that computes features once, from Python."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Done = subprocess.CompletedProcess[str]
Record = dict[str, Any]
pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

SESSION = """
import contextlib, io, json, sys
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

jar, model, images, out = sys.argv[1:5]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")

def decoded():
    counters = spark._jvm.sightline.schedule.WorkerCounters.of(spark.sparkContext._jsc.sc())
    values = spark._jvm.scala.jdk.javaapi.CollectionConverters.asJava(counters.values())
    return int(dict(values).get("decoded", 0))

def persisted():
    return spark.sparkContext._jsc.getPersistentRDDs().size()
"""

SEARCHES = """
from sightline.cli.main import main

def tune(name, *more, images=images):
    out_, err = io.StringIO(), io.StringIO()
    before, kept = decoded(), persisted()
    fixed = ["--images", images, "--model", model, "--output", f"{out}/{name}"]
    small = ["--folds", "2", "--max-iter", "3:10", "--parallelism", "2"]
    with contextlib.redirect_stdout(out_), contextlib.redirect_stderr(err):
        status = main(["tune", *fixed, *small, *more])
    return {
        "status": status, "out": out_.getvalue(), "err": err.getvalue(),
        "decoded": decoded() - before, "persisted": persisted() - kept,
    }

mixed = ["--trials", "8", "--hidden-layers", "4,500000000", "--seed", "4"]
found = {
    "first": tune("first", *mixed),
    "again": tune("again", *mixed),
    "failed": tune("failed", "--trials", "2", "--head", "mlp", "--hidden-layers", "500000000"),
    "one_label": tune("one_label", images=f"{images}/red"),
    "few": tune("few", "--folds", "11"),
    "no_model": tune("no_model", "--model", "missing"),
    "conf": tune("conf", "--conf", "spark.x=y"),
}
from pyspark.ml import PipelineModel
loaded = PipelineModel.load(f"{out}/first/model")
rows = loaded.transform(spark.read.format("sightline").load(images))
right = rows.where("predicted_label = label").count()
found["right"] = [right, rows.count()]
found["stage"] = type(loaded.stages[0]).__name__
print(json.dumps(found))
"""

GRID = """
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from sightline.ml import CachedPipeline, ImageFeaturizer

table = spark.read.format("sightline").load(images)
regression = LogisticRegression(labelCol="class", maxIter=3)
accuracy = MulticlassClassificationEvaluator(labelCol="class", metricName="accuracy")
points = ParamGridBuilder().addGrid(regression.regParam, [0.001, 0.1, 10.0]).build()
common = dict(estimator=regression, estimatorParamMaps=points, evaluator=accuracy, parallelism=2)
fold = F.pmod(F.xxhash64("path"), F.lit(2)).cast("int")
search = CrossValidator(numFolds=2, foldCol="fold", seed=5, **common)
featurizer = ImageFeaturizer(model=model, handleInvalid="skip")
indexer = StringIndexer(inputCol="label", outputCol="class")
table = table.withColumn("fold", fold)

found = {"images": table.count()}
def fit(pipeline):
    before, kept = decoded(), persisted()
    fitted = pipeline.fit(table)
    return fitted, [decoded() - before, persisted() - kept]

pipeline = CachedPipeline(stages=[featurizer, indexer, search])
fitted, found["grid"] = fit(pipeline)
split = TrainValidationSplit(seed=5, **common)
_, found["split"] = fit(CachedPipeline(stages=[featurizer, indexer, split]))
found["metrics"] = list(fitted.stages[-1].avgMetrics)

ready = fitted.stages[1].transform(featurizer.transform(table)).select("features", "class", "fold")
rows = ready.collect()
ready = spark.createDataFrame(rows, ready.schema).cache()
by_hand = []
for point in points:
    scores = []
    for k in range(2):
        one = regression.fit(ready.where(f"fold <> {k}"), point)
        scores.append(accuracy.evaluate(one.transform(ready.where(f"fold = {k}"))))
    by_hand.append(sum(scores) / 2)
found["by_hand"] = by_hand

pipeline.write().save(f"{out}/pipeline")
read = CachedPipeline.load(f"{out}/pipeline")
search_read = read.getStages()[-1]
found["read"] = [
    type(read).__name__, read.uid == pipeline.uid, search_read.getNumFolds(),
    search_read.getParallelism(), search_read.getSeed(), search_read.getFoldCol(),
    [list(point.values()) for point in search_read.getEstimatorParamMaps()],
]
fitted.write().save(f"{out}/fitted")
predictions = [
    [row.prediction for row in one.transform(table).orderBy("path").collect()]
    for one in (fitted, PipelineModel.load(f"{out}/fitted"))
]
found["same"] = predictions[0] == predictions[1]
plain = CachedPipeline(stages=[featurizer, indexer, regression])
plain.write().save(f"{out}/plain")
jvm = spark._jvm.sightline.ml.CachedPipeline.load(f"{out}/plain")
found["scala"] = [jvm.getClass().getName(), jvm.getStages()[2].getMaxIter()]
jvm.write().save(f"{out}/scala")
found["python"] = [type(s).__name__ for s in CachedPipeline.load(f"{out}/scala").getStages()]
found["copy"] = type(pipeline.copy()).__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten images of each of three labels, whose colours overlap."""
    folder = tmp_path_factory.mktemp("colours")
    chance = random.Random(2)  # noqa: S311 - test data
    for label in ("red", "green", "blue"):
        (folder / label).mkdir()
        for number in range(10):
            colour = [chance.randrange(160) for _ in range(3)]
            colour[("red", "green", "blue").index(label)] += 60
            buffer = io.BytesIO()
            Image.new("RGB", (24, 20), tuple(colour)).save(buffer, "PNG")
            (folder / label / f"{number}.png").write_bytes(buffer.getvalue())
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def in_session(
    run_in: Callable[..., Done],
    repository: Path,
    jar: Path,
    means_bundle: Path,
    images: Path,
) -> Callable[[str, Path], Record]:
    """``in_session(script, folder)``: what the script prints as JSON, in one Spark session."""

    def run(script: str, folder: Path) -> Record:
        program = folder / "program.py"
        program.write_text(SESSION + script)
        sources = str(repository / "python" / "src")
        done = run_in(
            sys.executable, program, jar, means_bundle, images, folder, PYTHONPATH=sources
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: Record = json.loads(done.stdout.splitlines()[-1])
        return found

    return run


@pytest.fixture(scope="module")
def searches(
    tmp_path_factory: pytest.TempPathFactory, in_session: Callable[[str, Path], Record]
) -> tuple[Path, Record]:
    folder = tmp_path_factory.mktemp("searches")
    return folder, in_session(SEARCHES, folder)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_search_decodes_each_image_once_and_leaves_nothing_in_the_cache(
    searches: tuple[Path, Record],
) -> None:
    folder, found = searches
    first = found["first"]
    assert first["status"] == 0, first["err"]
    # The counter has the image that cannot be decoded too, or not; the thirty others once.
    assert first["decoded"] in (30, 31)
    assert first["persisted"] == 0
    record = json.loads((folder / "first" / "_run" / "run.json").read_text())
    assert record["counts"] == {
        "images": 31,
        "used": 30,
        "unlabelled": 0,
        "errors": {"UNSUPPORTED": 1},
    }
    assert record["worker"]["decoded"] == first["decoded"]


def test_a_failing_trial_is_reported_and_the_others_run(searches: tuple[Path, Record]) -> None:
    folder, found = searches
    trials = table(folder / "first" / "trials.csv")
    failed = [trial for trial in trials if trial["state"] == "failed"]
    complete = [trial for trial in trials if trial["state"] == "complete"]
    assert len(trials) == 8
    assert {trial["hiddenLayers"] for trial in failed} == {"500000000"}
    assert all(trial["error"] and not trial["accuracy"] for trial in failed)
    assert {trial["hiddenLayers"] for trial in complete} <= {"", "4"}
    assert len(complete) >= 4
    lines = re.findall(r"tune trial \d/8 failed mlp", found["first"]["err"])
    assert len(lines) == len(failed)


def test_the_best_trial_is_the_first_with_the_largest_score(
    searches: tuple[Path, Record],
) -> None:
    folder, _ = searches
    trials = table(folder / "first" / "trials.csv")
    for trial in trials:
        if trial["state"] == "complete":
            scores = [float(trial[f"accuracy_fold_{fold}"]) for fold in range(2)]
            assert float(trial["accuracy"]) == pytest.approx(sum(scores) / 2, abs=1e-6)
    best = max(
        (trial for trial in trials if trial["state"] == "complete"),
        key=lambda trial: (float(trial["accuracy"]), -int(trial["trial"])),
    )
    record = json.loads((folder / "first" / "_run" / "run.json").read_text())
    assert record["best"]["trial"] == int(best["trial"])
    assert record["best"]["head"] == best["head"]


def test_the_same_seed_gives_the_same_table(searches: tuple[Path, Record]) -> None:
    folder, found = searches
    first, again = ((folder / name / "trials.csv").read_text() for name in ("first", "again"))
    assert first == again
    shown = [found[name]["out"].partition("\nimages ")[0] for name in ("first", "again")]
    assert shown[0] == shown[1]
    assert shown[0].splitlines()[0].split() == ["trial", "state", "accuracy", "folds", "head"]


def test_the_saved_pipeline_classifies_images(searches: tuple[Path, Record]) -> None:
    _, found = searches
    right, rows = found["right"]
    assert found["stage"] == "ImageClassifierModel"
    assert rows == 31  # the broken image is a row with an error
    assert right >= 24


def test_wrong_data_is_refused_and_nothing_is_published(searches: tuple[Path, Record]) -> None:
    folder, found = searches
    expected = {
        "failed": (1, "TUNING_FAILED: none of 2 trials is complete. 2 failed; trial 0"),
        "one_label": (2, "NOTHING_TO_FIT: tune needs images of at least two labels"),
        "few": (2, "NOTHING_TO_FIT: tune needs an image of each label in each of the 11 folds"),
        "no_model": (2, "UNKNOWN_MODEL"),
        "conf": (2, "INVALID_OPTION: --conf is 'spark.x'. The Spark session exists already"),
    }
    for name, (status, message) in expected.items():
        assert found[name]["status"] == status, found[name]
        assert f"sightline: {message}" in found[name]["err"]
        assert found[name]["persisted"] == 0
        assert not (folder / name).exists()
    assert found["no_model"]["decoded"] == found["conf"]["decoded"] == 0


def test_a_cached_pipeline_decodes_each_image_once_and_equals_a_loop_by_hand(
    tmp_path: Path, in_session: Callable[[str, Path], Record]
) -> None:
    found = in_session(GRID, tmp_path)
    assert found["images"] == 31
    for name in ("grid", "split"):
        decoded, persisted = found[name]
        assert decoded in (30, 31)
        assert persisted == 0
    assert found["metrics"] == pytest.approx(found["by_hand"], abs=1e-9)
    assert len(set(found["metrics"])) > 1
    points = [[0.001], [0.1], [10.0]]
    assert found["read"] == ["CachedPipeline", True, 2, 2, 5, "fold", points]
    assert found["same"]
    assert found["scala"] == ["sightline.ml.CachedPipeline", 3]
    assert found["python"] == ["ImageFeaturizer", "StringIndexer", "LogisticRegression"]
    assert found["copy"] == "CachedPipeline"


BY_HAND = """
import csv
import numpy as np
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.sql import Window
from sightline.ml import ImageFeaturizer
from sklearn.linear_model import LogisticRegression as Sklearn

table = spark.read.format("sightline").load(images)
featured = ImageFeaturizer(model=model).transform(table)
order = Window.partitionBy("label").orderBy(F.xxhash64("path", F.lit(5)), "path")
folds = featured.withColumn("fold", (F.row_number().over(order) - 1) % 2)
rows = folds.select("path", "label", "features", "fold").orderBy("path").collect()
x = np.array([row.features.toArray() for row in rows])
y = np.array([row.label for row in rows])
fold = np.array([row.fold for row in rows])

def sklearn_score(regularisation):
    scores = []
    for k in range(2):
        train, test = fold != k, fold == k
        scale = x[train].std(axis=0, ddof=1)  # Spark scales the features by it
        scale[scale == 0] = 1
        fitted = Sklearn(C=1 / (regularisation * train.sum()), max_iter=2000, tol=1e-8)
        fitted.fit(x[train] / scale, y[train])
        scores.append(fitted.score(x[test] / scale, y[test]))
    return float(np.mean(scores))

with open(f"{out}/flowers/trials.csv", newline="") as stream:
    trials = list(csv.DictReader(stream))
found = {
    "tuned": [float(trial["accuracy"]) for trial in trials],
    "sklearn": [sklearn_score(float(trial["regParam"])) for trial in trials],
    "points": [float(trial["regParam"]) for trial in trials],
    "images": [int((y == label).sum()) for label in sorted(set(y))],
}
loaded = PipelineModel.load(f"{out}/flowers/model").transform(table)
found["fitted"] = loaded.where("predicted_label = label").count()
print(json.dumps(found))
"""


def test_the_best_of_a_search_on_flowers_equals_a_loop_by_hand_with_scikit_learn(
    tmp_path: Path,
    shared: Path,
    repository: Path,
    jar: Path,
    alone: Callable[..., Done],
    run_in: Callable[..., Done],
) -> None:
    images = tmp_path / "images"
    for folder in sorted((shared / "flowers" / "dev" / "train").iterdir()):
        (images / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir())[:20]:
            (images / folder.name / file.name).symlink_to(file)
    search = ("--head", "logistic", "--reg-param", "0.01:3", "--elastic-net-param", "0:0")
    search += ("--max-iter", "100:100", "--trials", "4", "--parallelism", "2", "--folds", "2")
    model = repository / "models" / "efficientnet_lite0"
    where = ("--images", images, "--model", model, "--output", tmp_path / "flowers")
    spark = ("--master", "local[2]", "--conf", "spark.ui.enabled=false")
    tuned = alone("tune", *where, *search, *spark, "--seed", "5")
    assert tuned.returncode == 0, tuned.stderr[-3000:]
    assert tuned.stderr.count("sightline: tune trial ") == 4
    record = json.loads((tmp_path / "flowers" / "_run" / "run.json").read_text())
    assert record["worker"]["decoded"] == record["counts"]["used"] == 100

    program = tmp_path / "program.py"
    program.write_text(SESSION + BY_HAND)
    sources = str(repository / "python" / "src")
    arguments = (jar, model, images, tmp_path)
    done = run_in(sys.executable, program, *arguments, PYTHONPATH=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["images"] == [20] * 5
    # Two solvers: a flower between two classes may change its class.
    assert found["tuned"] == pytest.approx(found["sklearn"], abs=0.021)
    best = found["tuned"].index(max(found["tuned"]))
    assert record["best"]["params"]["regParam"] == found["points"][best]
    assert found["sklearn"][best] >= max(found["sklearn"]) - 0.021
    assert found["tuned"][best] > 0.6
    assert found["fitted"] >= 90
