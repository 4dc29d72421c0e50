"""The options of `sightline tune`: wrong ones are refused before Spark starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.cli.main import main

REQUIRED = ["tune", "--images", "no/such/folder", "--model", "no_model"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--folds", "1"], "INVALID_OPTION: Invalid value for '--folds': 1 is not in the range"),
        (["--trials", "0"], "INVALID_OPTION: Invalid value for '--trials'"),
        (["--head", "tree"], "UNKNOWN_HEAD: --head 'tree'. Known: logistic, mlp."),
        (["--head", ","], "INVALID_OPTION: Invalid value for '--head': the list is empty."),
        (["--metric", "auc"], "UNKNOWN_METRIC: --metric 'auc'. Known: accuracy, f1, logLoss."),
        (
            ["--reg-param", "0:1"],
            "INVALID_OPTION: Invalid value for '--reg-param': '0:1' must be two numbers LOW:HIGH, "
            "above 0, such as 1e-5:1.",
        ),
        (["--reg-param", "1:0.1"], "INVALID_OPTION: Invalid value for '--reg-param'"),
        (["--reg-param", "1:2:3"], "INVALID_OPTION: Invalid value for '--reg-param'"),
        (["--reg-param", "nan"], "INVALID_OPTION: Invalid value for '--reg-param'"),
        (
            ["--elastic-net-param", "0:1.5"],
            "INVALID_OPTION: Invalid value for '--elastic-net-param': '0:1.5' must be two numbers "
            "LOW:HIGH, from 0 to 1, such as 0:1.",
        ),
        (["--max-iter", "0:10"], "INVALID_OPTION: Invalid value for '--max-iter'"),
        (["--max-iter", "1:2:x"], "INVALID_OPTION: Invalid value for '--max-iter'"),
        (
            ["--hidden-layers", "64,128x"],
            "INVALID_OPTION: Invalid value for '--hidden-layers': '128x' must be the sizes of "
            "hidden layers, such as 64 or 128x64.",
        ),
        (["--hidden-layers", "0"], "INVALID_OPTION: Invalid value for '--hidden-layers'"),
        (["--conf", "=1"], "INVALID_OPTION: Invalid value for '--conf': '=1' must be NAME=VALUE."),
        (["--backend", "tf"], "UNKNOWN_BACKEND: --backend 'tf'."),
        (["--device", "tpu"], "UNKNOWN_DEVICE: --device 'tpu'."),
        (["--mlflow", "http://127.0.0.1:1"], "WRONG_ARGUMENTS: --mlflow and --experiment go"),
        (["--experiment", "a"], "WRONG_ARGUMENTS: --mlflow and --experiment go together."),
        (
            ["--mlflow", "http://user:word@127.0.0.1", "--experiment", "a"],
            "TRACKING_URI: --mlflow contains a user",
        ),
    ],
)
def test_a_wrong_option_is_refused(
    given: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*REQUIRED, "--output", str(tmp_path / "out"), *given]) == 2
    assert f"sightline: {message}" in capsys.readouterr().err


def test_an_output_that_exists_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    given = [*REQUIRED, "--output", str(tmp_path)]
    assert main(given) == 2
    assert "sightline: OUTPUT_EXISTS" in capsys.readouterr().err
    assert main([*given, "--overwrite"]) == 2
    assert "sightline: OUTPUT_NOT_OURS" in capsys.readouterr().err


def test_without_the_jar_the_command_says_how_to_build_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "sightline.jar"
    monkeypatch.setattr("sightline.cli.tune.find_jar", lambda: missing)
    assert main([*REQUIRED, "--output", str(tmp_path / "out")]) == 2
    assert f"sightline: MISSING_JAR: there is no {missing}" in capsys.readouterr().err


def test_spark_submit_gets_the_master_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert main([*REQUIRED, "--output", str(tmp_path / "out"), "--master", "yarn"]) == 2
    expected = "INVALID_OPTION: --master is 'yarn'. The Spark session exists already"
    assert expected in capsys.readouterr().err
