"""Wrong use of the jar: exit status 2, one sentence, no trace. ScalaTest has the many; here are
those that hang on the process: its environment, its arguments, its exit status."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def predict(
    submit: Callable[..., Done],
    gallery: Path,
    colour_bundle: Path,
    spark_home: Path,
    tmp_path: Path,
) -> Callable[..., Done]:
    def call(*options: object, model: object = colour_bundle, **variables: str) -> Done:
        if "PYSPARK_PYTHON" in variables:
            # Without SPARK_HOME, spark-submit itself would run PYSPARK_PYTHON to find Spark.
            variables["SPARK_HOME"] = str(spark_home)
        arguments = ("--images", gallery, "--model", model, "--output", tmp_path / "out")
        return submit("predict", *arguments, *options, **variables)

    return call


def assert_refused(done: Done, message: str, folder: Path) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"sightline: {message}")
    assert "\tat " not in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir() if path.name.startswith("out")] == []


def test_an_unknown_model_lists_the_built_in_ones_in_any_working_folder(
    predict: Callable[..., Done], tmp_path: Path
) -> None:
    done = predict(model="resnet5")
    assert_refused(done, "UNKNOWN_MODEL: 'resnet5'. Known: ", tmp_path)
    assert "id_fraud" in done.stderr.splitlines()[-1]


def test_the_error_for_a_missing_interpreter_has_its_path(
    predict: Callable[..., Done], tmp_path: Path
) -> None:
    done = predict(PYSPARK_PYTHON="/nowhere/python")
    assert_refused(done, "PYTHON_NOT_FOUND: '/nowhere/python' cannot be started", tmp_path)


def test_the_error_lists_the_packages_that_the_interpreter_lacks(
    predict: Callable[..., Done], repository: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "python"
    # -S: without site-packages the interpreter has no packages.
    bare.write_text(f'#!/bin/sh\nexec {repository}/.venv/bin/python -S "$@"\n')
    bare.chmod(0o755)
    done = predict(PYSPARK_PYTHON=str(bare))
    assert_refused(done, f"PYSPARK_MISMATCH: {bare} has no pyspark, but this is Spark", tmp_path)


def test_a_locale_that_cannot_represent_the_file_names_is_refused(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    done = predict(LC_ALL="POSIX", LANG="POSIX")
    assert_refused(done, f"LOCALE_NOT_UTF8: {gallery}/green has names that Java", tmp_path)
    assert done.stderr.rstrip().endswith("Set LC_ALL=C.UTF-8.")


def test_the_error_for_an_unknown_command_lists_the_known_ones(
    submit: Callable[..., Done], tmp_path: Path
) -> None:
    known = "UNKNOWN_COMMAND: 'predikt'. Known: predict, features, pca, evaluate, "
    known += "sql, pack-images, train, doctor, plan, commands."
    assert_refused(submit("predikt"), known, tmp_path)


def test_the_python_package_has_the_same_error_codes_and_exit_statuses(
    alone: Callable[..., Done], gallery: Path, colour_bundle: Path, tmp_path: Path
) -> None:
    def wrong(code: str, *options: object) -> None:
        usual = ("--images", gallery, "--model", colour_bundle, "--output", tmp_path / "out")
        done = alone("predict", *usual, *options)
        assert done.returncode == 2, done.stderr
        assert f"{code}: " in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr

    (tmp_path / "no_column.csv").write_text("id,name\n1,a.jpg\n")
    (tmp_path / "empty").mkdir()
    wrong("UNKNOWN_MODEL", "--model", "resnet5")
    wrong("PATH_NOT_FOUND", "--images", tmp_path / "none")
    wrong("NO_IMAGES", "--images", tmp_path / "empty")
    wrong("UNKNOWN_COLUMN", "--images", tmp_path / "no_column.csv")
    wrong("OUTPUT_EXISTS", "--output", tmp_path / "empty")
