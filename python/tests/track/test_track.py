"""`sightline track`, against a real MLflow server."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.cli.main import main

from .pca_run import FEATURES_RUN, MODEL_FILES, PCA_RUN, Record, write_run
from .tracking_server import artifact, artifact_paths, ask, in_front_of

pytestmark = pytest.mark.timeout(300)  # includes the start of the server


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str], server: str) -> Callable[..., tuple[Record, Record]]:
    """``log(run)`` returns the command's output and the run on the server."""

    def logged(run: Path, *more: str) -> tuple[Record, Record]:
        to = ["--mlflow", server, "--experiment", "fruits", "--json"]
        assert main(["track", str(run), *to, *more]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        (line,) = out.splitlines()
        reported = json.loads(line)
        return reported, ask(server, "runs/get", run_id=reported["run_id"])["run"]

    return logged


def by_key(pairs: list[Record]) -> Record:
    return {pair["key"]: pair["value"] for pair in pairs}


def test_a_logged_run_has_the_same_values_on_the_server(
    tmp_path: Path, server: str, log: Callable[..., tuple[Record, Record]]
) -> None:
    reported, run = log(write_run(tmp_path))
    info = run["info"]
    assert reported == {
        "run_id": info["run_id"],
        "run_name": "mobilenet_v2 k=12 2026-11-22 10:00:00",
        "experiment_id": info["experiment_id"],
        "url": f"{server}/#/experiments/{info['experiment_id']}/runs/{info['run_id']}",
        "left_out": [],
        "missing": [],
    }
    assert (info["status"], info["run_name"]) == ("FINISHED", reported["run_name"])
    assert info["start_time"] == 1795341600000  # 2026-11-22 10:00:00 UTC
    assert info["end_time"] - info["start_time"] == 15_000  # the stages of PCA_RUN
    experiment = ask(server, "experiments/get-by-name", experiment_name="fruits")["experiment"]
    assert experiment["experiment_id"] == info["experiment_id"]

    assert by_key(run["data"]["params"]) == {
        "model": "mobilenet_v2",
        "model_sha256": "ab" * 32,
        "backend": "onnx",
        "device": "cpu",
        "precision": "fp32",
        "decoder": "fast",
        "batch_rows": "32",
        "partitions": "8",
        "features": "1280",
        "k": "12",
        "arguments": "pca --features 'fruits features' --k 12",
        "features_arguments": "features --images 'fruits 360' --model mobilenet_v2",
        "sightline_version": "0.1.0",
        "features_sightline_version": "0.1.0",
        "spark_version": "4.1.3",
        "spark_master": "local[2]",
    }
    shares = {f"explained_variance_pc_{component}": 0.01 for component in range(3, 11)}
    assert by_key(run["data"]["metrics"]) == pytest.approx(
        {
            "features_model_seconds": 0.5,
            "features_list_seconds": 0.25,
            "features_preflight_seconds": 1.0,
            "features_train_seconds": 30.0,
            "features_test_seconds": 10.0,
            "features_count_seconds": 0.5,
            "read_seconds": 1.5,
            "scaler_fit_seconds": 2.0,
            "pca_fit_seconds": 3.5,
            "transform_seconds": 5.0,
            "csv_seconds": 0.5,
            "report_seconds": 2.5,
            "images_per_second": 1922 / 40,
            "images": 1922,
            "rows": 1920,
            "train": 1440,
            "test": 480,
            "errors": 2,
            "errors_CORRUPT": 2,
            "classes": 2,
            "explained_variance_total": 0.85,
            "explained_variance_pc_1": 0.5,
            "explained_variance_pc_2": 0.25,
            **shares,
            "components_for_90": 17,
            "components_for_95": 22,
            "components_for_99": 26,
            "compression_ratio": 106.7,
        }
    )
    tags = by_key(run["data"]["tags"])
    assert tags["sightline.version"] == "0.1.0"
    assert tags["sightline.run_folder"] == str(tmp_path)
    assert tags["spark.application"] == "local-2"
    assert tags["mlflow.source.name"] == "sightline pca"


def test_logged_artifacts_are_equal_byte_for_byte(
    tmp_path: Path, server: str, log: Callable[..., tuple[Record, Record]]
) -> None:
    reported, _ = log(write_run(tmp_path))
    logged = {f"model/{name}" for name in MODEL_FILES}
    logged |= {"run.json", "report.html", "pca_variance.png"}
    assert artifact_paths(server, reported["run_id"]) == sorted(logged)
    for path in logged:
        assert artifact(server, reported["run_id"], path) == (tmp_path / path).read_bytes()


def test_a_run_without_its_features_run_is_logged_without_the_values_of_that_run(
    tmp_path: Path, log: Callable[..., tuple[Record, Record]]
) -> None:
    reported, run = log(write_run(tmp_path, features_run=None), "--run-name", "from a friend")
    assert reported["run_name"] == "from a friend"
    parameters, metrics = by_key(run["data"]["params"]), by_key(run["data"]["metrics"])
    assert parameters["k"] == "12"
    assert metrics["pca_fit_seconds"] == 3.5
    assert "model" not in parameters
    assert not {"images", "images_per_second", "features_train_seconds"} & set(metrics)


def test_values_that_mlflow_rejects_are_cut_or_left_out_and_reported(
    tmp_path: Path, log: Callable[..., tuple[Record, Record]]
) -> None:
    pca = PCA_RUN["pca"] | {"explained_variance": [0.5, float("nan")], "compression_ratio": None}
    counts = PCA_RUN["counts"] | {"errors": {"CORRUPT": 1, "Zoë's <b>\n": 2}}
    features_run = FEATURES_RUN | {"arguments": ["--images", "", "\N{PILE OF POO}'\n"]}
    long: Record = {"arguments": ["pca", "--features", "ü" * 7000]}
    changes = {"pca": pca, "counts": counts, "features_run": features_run} | long
    reported, run = log(write_run(tmp_path, **changes))
    assert run["info"]["status"] == "FINISHED"
    parameters, metrics = by_key(run["data"]["params"]), by_key(run["data"]["metrics"])
    assert parameters["arguments"] == "pca --features '".ljust(5999, "ü") + "…"
    assert parameters["features_arguments"] == "--images '' '\N{PILE OF POO}'\"'\"'\n'"
    left_out = ["explained_variance_total", "explained_variance_pc_2", "compression_ratio"]
    assert reported["left_out"] == left_out
    assert not set(left_out) & set(metrics)
    assert metrics["errors"] == 3
    assert metrics["errors_Zo__s _b__"] == 2


def test_files_that_the_run_does_not_have_are_listed(
    tmp_path: Path, server: str, log: Callable[..., tuple[Record, Record]]
) -> None:
    run = write_run(tmp_path)
    (run / "report.html").unlink()
    reported, _ = log(run)
    assert reported["missing"] == ["report.html"]
    assert "report.html" not in artifact_paths(server, reported["run_id"])


def test_check_reports_the_destination_and_logs_nothing(
    server: str, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check = ["track", "--check", "--mlflow", server, "--experiment", "a new one", "--json"]
    for _ in range(2):
        assert main(check) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second
    number = first["experiment_id"]
    assert first == {
        "uri": server,
        "experiment": "a new one",
        "experiment_id": number,
        "artifacts": f"mlflow-artifacts:/{number}",
        "url": f"{server}/#/experiments/{number}",
    }
    assert ask(server, "runs/search", {"experiment_ids": [number]}) == {}
    assert not list(tmp_path_factory.getbasetemp().rglob("sightline-check-*"))


def test_without_json_the_output_is_readable_lines(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ["--mlflow", server, "--experiment", "fruits"]
    assert main(["track", str(write_run(tmp_path)), *to]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "run name       mobilenet_v2 k=12 2026-11-22 10:00:00"
    assert lines[3].startswith(f"url            {server}/#/experiments/")


@pytest.mark.parametrize("run", [(), ("run",)])
def test_a_dead_server_is_one_line(
    run: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    write_run(tmp_path / "run")
    what = [str(tmp_path / name) for name in run] or ["--check"]
    before = dict(os.environ)
    assert main(["track", *what, "--mlflow", "http://127.0.0.1:9", "--experiment", "x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    reported = (
        "sightline: TRACKING_UNREACHABLE: http://127.0.0.1:9: [Errno 111] Connection refused. "
    )
    assert line.startswith(reported)
    assert ("--mlflow-optional" if not run else f"sightline track {tmp_path}/run --mlflow ") in line
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("uri", "reported"),
    [
        ("http://ada:s3cret@127.0.0.1:9", "MLFLOW_TRACKING_PASSWORD"),
        ("postgresql://ada:s3cret@db/mlflow", "MLFLOW_TRACKING_PASSWORD"),
        ("http://127.0.0.1:9?token=s3cret", "MLFLOW_TRACKING_TOKEN"),
        ("http://[s3cret", "is not a valid address"),
        ("http://:5000", "names no host"),
        ("sqlite:///mlflow.db", "mlflow server --backend-store-uri"),
        ("mlruns", "MLFLOW_ALLOW_FILE_STORE"),
        ("file:///tmp/mlruns", "MLFLOW_ALLOW_FILE_STORE"),
        ("", "MLFLOW_ALLOW_FILE_STORE"),
        ("gopher://host", "no address that MLflow's client can use"),
    ],
)
def test_an_invalid_address_is_wrong_use(
    uri: str, reported: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    assert main(["track", "--check", "--mlflow", uri, "--experiment", "x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sightline: TRACKING_URI: --mlflow ")
    assert reported in line
    assert "s3cret" not in line


def test_an_experiment_that_was_deleted_is_wrong_use(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = ask(server, "experiments/create", {"name": "gone"})["experiment_id"]
    ask(server, "experiments/delete", {"experiment_id": number})
    for name, reported in (
        ("gone", f"--experiment-id {number}"),
        (" ", "empty"),
        ("x" * 600, "500"),
    ):
        assert main(["track", "--check", "--mlflow", server, "--experiment", name]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("sightline: TRACKING_EXPERIMENT: ")
        assert reported in line


def test_a_server_that_breaks_midway_leaves_no_finished_run(
    tmp_path: Path,
    server: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    run = write_run(tmp_path)
    broken: list[str] = []

    def keeps_no_model(method: str, path: str) -> int | None:
        return 507 if method == "PUT" and "/model/" in path else None

    def dies_at_the_report(_: str, path: str) -> int | None:
        broken.extend([path] if "report.html" in path else [])
        return 0 if broken else None

    found = {}
    for name, breaks in (("full", keeps_no_model), ("dead", dies_at_the_report)):
        with in_front_of(server, breaks) as uri:
            assert main(["track", str(run), "--mlflow", uri, "--experiment", name]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("sightline: TRACKING_ARTIFACTS: artifacts cannot be written to ")
        experiment = ask(server, "experiments/get-by-name", experiment_name=name)["experiment"]
        number = experiment["experiment_id"]
        (left,) = ask(server, "runs/search", {"experiment_ids": [number]})["runs"]
        found[name] = left["info"]["status"]
    assert found == {"full": "FAILED", "dead": "RUNNING"}


def test_check_reports_a_server_that_stores_no_artifacts(
    server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with in_front_of(server, lambda method, _: 507 if method == "PUT" else None) as uri:
        assert main(["track", "--check", "--mlflow", uri, "--experiment", "fruits"]) == 1
    assert "sightline: TRACKING_ARTIFACTS: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "TRACKING_REFUSED"), (403, "TRACKING_REFUSED"), (404, "TRACKING_FAILED")],
)
def test_a_server_that_refuses_is_reported(
    status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_front_of("nowhere", lambda *_: status) as uri:
        assert main(["track", "--check", "--mlflow", uri, "--experiment", "x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sightline: {code}: {uri}: ")


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (None, "No such file"),
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"command": "predict"}', "another command"),
        ('{"command": "pca"}', "KeyError"),
    ],
)
def test_a_folder_that_is_not_a_run_is_wrong_use(
    content: str | None, reported: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    to = ["--mlflow", "http://127.0.0.1:9", "--experiment", "x"]
    assert main(["track", str(tmp_path), *to]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sightline: NOT_A_RUN: ")
    assert reported in line


def test_without_the_client_the_error_has_the_install_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    to = ["--mlflow", "http://127.0.0.1:9", "--experiment", "x"]
    assert main(["track", "--check", *to]) == 2
    assert "pip install 'sightline[track]'" in capsys.readouterr().err


@pytest.mark.parametrize("run", [(), ("run", "--check")])
def test_a_run_and_check_cannot_be_given_together(
    run: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["track", *run, "--mlflow", "http://127.0.0.1:9", "--experiment", "x"]) == 2
    assert "WRONG_ARGUMENTS" in capsys.readouterr().err
