"""`TransferClassifier` trains as the command `train`, and its model predicts as `ml_predict`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyspark.errors import AnalysisException
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import DataFrame, Row, SparkSession
from sightline.functions import ml_predict
from sightline.ml import TransferClassifier, TransferClassifierModel

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(900)
COLOURS = {"blue": (20, 40, 200), "green": (30, 180, 50), "red": (200, 30, 30)}
# A network of 0.2 million parameters.
TINY: dict[str, Any] = {
    "architecture": "timm:test_convnext",
    "weights": "none",
    "imageSize": 32,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "epochs": 2,
    "batchSize": 8,
    "learningRate": 3e-3,
    "seed": 3,
    "pathCol": "path",
}
AS_OPTIONS = (
    *("--architecture", "timm:test_convnext", "--weights", "none", "--image-size", 32),
    *("--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--epochs", 2, "--batch-size", 8),
    *("--learning-rate", 3e-3, "--seed", 3),
)


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet table of three partitions with ten images of each of three colours."""
    folder = tmp_path_factory.mktemp("transfer")
    rows = []
    for at, (name, colour) in enumerate(COLOURS.items()):
        for number in range(10):
            noise = np.random.default_rng(100 * at + number).integers(-20, 20, (40, 48, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            path = folder / f"{name}{number}.png"
            Image.fromarray(pixels).save(path)
            rows.append((path.name, name, float(at), bytearray(path.read_bytes())))
    frame = spark.createDataFrame(rows, "path string, label string, number double, content binary")
    frame.repartition(3).write.parquet(str(folder / "colours.parquet"))
    return folder / "colours.parquet"


@pytest.fixture(scope="module")
def images(spark: SparkSession, table: Path) -> DataFrame:
    return spark.read.parquet(str(table)).repartition(3)


def predictions(frame: DataFrame) -> list[Row]:
    return frame.orderBy("path").select("path", "prediction").collect()


def evaluation(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "evaluation.json").read_text("utf-8"))
    return found


def variants(model: TransferClassifierModel) -> dict[str, str]:
    """Return the hash of each file of the bundle.

    That of `model.json` also depends on the clock: it has the measured batch sizes.
    """
    manifest = json.loads((Path(model.getModel()) / "model.json").read_text("utf-8"))
    files: dict[str, str] = manifest["files"]
    return files


def condition(classifier: TransferClassifier, images: DataFrame) -> str | None:
    with pytest.raises(AnalysisException) as raised:
        classifier.fit(images)
    return raised.value.getCondition()


def test_a_fit_gives_the_model_and_the_measures_of_the_command(
    run_command: Callable[..., Done],
    spark: SparkSession,
    images: DataFrame,
    table: Path,
    tmp_path: Path,
) -> None:
    done = run_command(
        *("train", "--images", table, *AS_OPTIONS, "--output", tmp_path / "run"),
        *("--register", "colours", "--models", tmp_path / "models"),
    )
    assert done.returncode == 0, done.stderr
    classifier = TransferClassifier(**TINY, output=str(tmp_path / "runs"), modelName="colours")
    pipeline = Pipeline(stages=[classifier])
    pipeline.write().save(str(tmp_path / "pipeline"))
    model = Pipeline.load(str(tmp_path / "pipeline")).fit(images)
    (fitted,) = model.stages
    assert isinstance(fitted, TransferClassifierModel)
    run = Path(fitted.run)
    assert run.parent == tmp_path / "runs"
    assert evaluation(run) == evaluation(tmp_path / "run")
    assert evaluation(run)["part"] == "test"

    found = predictions(model.transform(images))
    assert {row.path for row in found if row.prediction.class_id is not None} == {
        f"{name}{number}.png" for name in COLOURS for number in range(10)
    }
    spark.conf.set("spark.sightline.models", str(tmp_path / "models"))
    registered = predictions(
        images.withColumn("prediction", ml_predict("colours", "content")).select(
            "path", "prediction"
        )
    )
    spark.conf.unset("spark.sightline.models")
    fields = ("label", "class_id", "score", "top_k")
    assert [[row.prediction[name] for name in fields] for row in found] == [
        [row.prediction[name] for name in fields] for row in registered
    ]

    model.write().save(str(tmp_path / "model"))
    # A loaded model has its own copy of the bundle.
    run.rename(tmp_path / "elsewhere")
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert predictions(loaded.transform(images)) == found
    (stage,) = loaded.stages
    assert isinstance(stage, TransferClassifierModel)
    assert stage.getPrecision() == "fp32"


def test_each_fit_has_its_own_folder_and_resume_takes_a_finished_run(
    images: DataFrame, tmp_path: Path
) -> None:
    # One bf16 step: the model has the precision of serving, and not that of the training.
    short = TINY | {"epochs": 1, "batchSize": 64, "precision": "bf16", "labelCol": "number"}
    output = tmp_path / "runs"
    classifier = TransferClassifier(**short, output=str(output), workers=2)
    first = classifier.fit(images)
    assert first.getPrecision() == "fp32"
    other = classifier.copy({classifier.learningRate: 1e-4}).fit(images)
    assert len({first.run, other.run}) == 2
    assert sorted(path.name for path in output.iterdir()) == sorted(
        Path(run).name for run in (first.run, other.run)
    )
    # Indices of the classes are those of the numbers in the column.
    row = first.transform(images).where("number = 2").select("prediction.top_k").first()
    assert row is not None
    assert {(one.label, one.class_id) for one in row.top_k} == {("0.0", 0), ("1.0", 1), ("2.0", 2)}

    assert condition(classifier, images) == "OUTPUT_EXISTS"
    history = Path(first.run) / "history.json"
    written = history.stat().st_mtime_ns
    again = classifier.copy({classifier.resume: True}).fit(images)
    assert (again.run, again.getModelSha256()) == (first.run, first.getModelSha256())
    assert history.stat().st_mtime_ns == written

    # A run whose record is missing has not ended. It continues from its newest checkpoint.
    (history.parent / "run.json").unlink()
    weights = variants(first)
    resumed = classifier.setResume(True).fit(images)
    assert (resumed.run, variants(resumed)) == (first.run, weights)
    # The folder has the run of other settings.
    (history.parent / "run.json").unlink()
    for path in (history.parent / "checkpoints").glob("step-*/state.json"):
        text = path.read_text("utf-8")
        path.write_text(text.replace("test_convnext", "test_vit"), "utf-8")
    assert condition(classifier, images) == "CHECKPOINT_MISMATCH"


def test_a_wrong_table_or_setting_is_refused_before_a_folder_is_made(
    images: DataFrame, tmp_path: Path
) -> None:
    output = tmp_path / "runs"
    tiny = TransferClassifier(**TINY, output=str(output))
    assert condition(tiny, images.drop("content")) == "UNKNOWN_COLUMN"
    assert condition(tiny, images.drop("label")) == "UNKNOWN_COLUMN"
    assert condition(tiny.copy({tiny.groupCol: "patient"}), images) == "UNKNOWN_COLUMN"
    assert condition(tiny.copy({tiny.inputCol: "path"}), images) == "WRONG_COLUMN_TYPE"
    assert condition(tiny.copy({tiny.labelCol: "content"}), images) == "WRONG_COLUMN_TYPE"
    assert condition(tiny.copy({tiny.outputCol: "label"}), images) == "OUTPUT_COLUMN_EXISTS"
    assert condition(TransferClassifier(**TINY), images) == "WRONG_PARAM"
    assert condition(tiny.copy({tiny.split: "folders"}), images) == "WRONG_PARAM"
    assert condition(tiny.copy({tiny.split: "1/2/3"}), images) == "INVALID_OPTION"
    null = images.selectExpr("path", "content", "nullif(label, 'red') AS label")
    assert condition(tiny, null) == "NO_LABELS"
    assert condition(tiny, images.where("false")) == "NO_IMAGES"
    assert condition(tiny, images.where("label = 'red'")) == "CLASSES_DIFFER"
    assert condition(tiny.copy({tiny.workers: 9}), images) == "MISSING_SLOTS"
    unknown = tiny.copy({tiny.architecture: "torchvision:resnet51"})
    assert condition(unknown, images) == "UNKNOWN_ARCHITECTURE"
    assert not list(output.glob("fit-*"))
    # The output is a run of the command.
    output.mkdir(exist_ok=True)
    (output / "train.yaml").write_text("epochs: 1\n")
    assert condition(tiny, images) == "OUTPUT_EXISTS"
