"""`sightline tune`, and the pipeline that computes features once, from Python."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import runpy
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
_PROGRAMS = runpy.run_path(str(Path(__file__).parent / "tuning_scripts.py"))
SESSION, SEARCHES, GRID, BY_HAND = (
    _PROGRAMS[name] for name in ("SESSION", "SEARCHES", "GRID", "BY_HAND")
)


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


@pytest.mark.parametrize("name", ["first", "mlp"])
def test_the_saved_pipeline_classifies_images(name: str, searches: tuple[Path, Record]) -> None:
    folder, found = searches
    stage, head, right, rows = found[f"saved_{name}"]
    record = json.loads((folder / name / "_run" / "run.json").read_text())
    assert (stage, head) == ("ImageClassifierModel", record["best"]["head"])
    assert rows == 31  # the broken image is a row with an error
    assert right >= 20


def test_trials_run_at_the_same_time(searches: tuple[Path, Record]) -> None:
    folder, _ = searches
    record = json.loads((folder / "first" / "_run" / "run.json").read_text())
    first, second, third = record["trials"][:3]
    assert second["started"] < first["started"] + first["seconds"]
    # With --parallelism 2, the third waits for both.
    both = max(one["started"] + one["seconds"] for one in (first, second))
    assert third["started"] >= both - 0.01


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
    search: tuple[str, ...] = ("--head", "logistic", "--reg-param", "0.01:3")
    search += ("--elastic-net-param", "0:0")
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
