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
            # Unless told where Spark is, spark-submit itself would ask PYSPARK_PYTHON for it.
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


def test_an_interpreter_that_does_not_exist_is_named(
    predict: Callable[..., Done], tmp_path: Path
) -> None:
    done = predict(PYSPARK_PYTHON="/nowhere/python")
    assert_refused(done, "PYTHON_NOT_FOUND: '/nowhere/python' cannot be started", tmp_path)


def test_an_interpreter_without_packages_is_told_which_are_missing(
    predict: Callable[..., Done], repository: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "python"
    # -S: without its site-packages it is an interpreter that nothing was installed for.
    bare.write_text(f'#!/bin/sh\nexec {repository}/.venv/bin/python -S "$@"\n')
    bare.chmod(0o755)
    done = predict(PYSPARK_PYTHON=str(bare))
    assert_refused(done, f"PYSPARK_MISMATCH: {bare} has no pyspark, but this is Spark", tmp_path)


def test_a_locale_in_which_file_names_cannot_be_told_is_refused_not_guessed(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    done = predict(LC_ALL="POSIX", LANG="POSIX")
    assert_refused(done, f"LOCALE_NOT_UTF8: {gallery}/green has names that Java", tmp_path)
    assert done.stderr.rstrip().endswith("Set LC_ALL=C.UTF-8.")


def test_an_unknown_command_lists_the_known_ones(
    submit: Callable[..., Done], tmp_path: Path
) -> None:
    known = "UNKNOWN_COMMAND: 'predikt'. Known: predict, features, pca, evaluate, "
    known += "sql, pack-images, commands."
    assert_refused(submit("predikt"), known, tmp_path)


def test_alone_the_same_mistakes_have_the_same_codes_and_statuses(
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
