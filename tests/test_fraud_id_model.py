"""The committed model id_fraud on cards of people outside its training data, and these cards.

The bounds are the point: what 14 x 14 pixels can tell must stay near chance, or the classes leak.
"""

from __future__ import annotations

import csv
import importlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image, JpegImagePlugin

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "fraud_id"
CLASSES = {"0": "crop_and_replace", "1": "font_issue", "2": "valid_id"}


def run_python(*arguments: str | Path) -> str:
    """Run Python with the repository's sources and return its standard output."""
    paths = [str(ROOT / "python" / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    # Two threads of BLAS wait for each other in a loop, which costs a third more CPU time.
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - the repository's own programs
        [sys.executable, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{arguments} exited {done.returncode}:\n{done.stderr[-3000:]}"
    return done.stdout


def generate(folder: Path, split: str, people: int, seed: int, workers: int = 2) -> Path:
    where = ("--output", str(folder), "--split", split, "--workers", str(workers))
    run_python(EXAMPLE / "generate.py", *where, "--people", str(people), "--seed", str(seed))
    return folder


def read_table(dataset: Path) -> list[dict[str, str]]:
    with (dataset / "image_data.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 cards of 60 people that the committed model was not trained on."""
    return generate(tmp_path_factory.mktemp("unseen") / "cards", "test", people=60, seed=2024)


@pytest.mark.timeout(300)
def test_the_committed_model_has_90_percent_accuracy_on_cards_of_unseen_people(
    unseen: Path, tmp_path: Path
) -> None:
    output = tmp_path / "predictions"
    run_python(
        *("-m", "sightline", "predict", "--images", unseen / "image_data.csv"),
        *("--model", ROOT / "models" / "id_fraud", "--backend", "onnx", "--output", output),
    )
    rows = pyarrow.parquet.read_table(output / "part-00000.parquet").to_pylist()
    assert len(rows) == 180
    assert [row["path"] for row in rows if row["error"] is not None] == []
    right = sum(row["prediction"]["class_id"] == row["label_id"] for row in rows)
    assert right / len(rows) >= 0.90
    for class_id in (0, 1, 2):
        members = [row for row in rows if row["label_id"] == class_id]
        found = sum(row["prediction"]["class_id"] == class_id for row in members)
        assert found / len(members) >= 0.80, CLASSES[str(class_id)]


@pytest.mark.timeout(300)
def test_a_logistic_regression_on_14_by_14_pixels_stays_below_60_percent(
    unseen: Path, tmp_path: Path
) -> None:
    train = generate(tmp_path / "train", "train", people=100, seed=2025)
    printed = run_python(EXAMPLE / "baseline.py", "--train", train, "--test", unseen)
    accuracies = [float(line.rsplit(" ", 1)[1]) for line in printed.splitlines()]
    assert len(accuracies) == 2  # grey and RGB
    assert max(accuracies) < 0.60


def test_one_seed_gives_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    one = generate(tmp_path / "one", "test", people=3, seed=5, workers=1)
    two = generate(tmp_path / "two", "test", people=3, seed=5, workers=2)
    other = generate(tmp_path / "other", "test", people=3, seed=6, workers=2)
    assert contents(one) == contents(two)
    assert len(contents(one)) == 11  # nine pictures and two tables
    assert not set(contents(one).values()) & set(contents(other).values())


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_classes_are_balanced_and_named(unseen: Path) -> None:
    counts = Counter((row["actual_class_id"], row["actual_class"]) for row in read_table(unseen))
    assert counts == dict.fromkeys(CLASSES.items(), 60)


def test_file_names_and_their_order_do_not_depend_on_the_class(unseen: Path) -> None:
    rows = read_table(unseen)
    assert [row["image_path"] for row in rows] == [f"all_images/{at:06d}.jpg" for at in range(180)]
    for period in (2, 3):  # neither alternating, nor sorted
        for phase in range(period):
            seen = Counter(row["actual_class_id"] for row in rows[phase::period])
            assert max(seen.values()) < 0.5 * sum(seen.values())
    for third in (rows[:60], rows[60:120], rows[120:]):
        assert max(Counter(row["actual_class_id"] for row in third).values()) < 30


def test_every_picture_has_the_same_encoding(unseen: Path) -> None:
    encodings = set()
    for row in read_table(unseen):
        with Image.open(unseen / row["image_path"]) as image:
            assert isinstance(image, JpegImagePlugin.JpegImageFile)
            tables = tuple(sorted((at, tuple(table)) for at, table in image.quantization.items()))
            sampling = JpegImagePlugin.get_sampling(image)
            metadata = tuple(sorted(str(key) for key in image.info))
            encodings.add((image.size, image.mode, tables, sampling, metadata, len(image.applist)))
            assert not image.getexif()
            assert image.info.get("comment") is None
    assert len(encodings) == 1


def test_each_person_is_in_one_split_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    dataset = importlib.import_module("cards.dataset")
    people = [
        {picture.person for picture in dataset.plan_pictures(500, split, seed=1)}
        for split in dataset.SPLITS
    ]
    assert [len(chosen) for chosen in people] == [500, 500, 500]
    assert len(set.union(*people)) == 1500
