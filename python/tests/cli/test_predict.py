import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import PytorchVariant
from sightline.cli.main import main

Encode = Callable[..., bytes]


def rows_of(tmp_path: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(
        tmp_path / "out" / "part-00000.parquet"
    ).to_pylist()
    return rows


def test_a_folder_gives_one_row_for_each_file(
    images: Path, tmp_path: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images) == 0
    rows = rows_of(tmp_path)
    assert list(rows[0]) == ["path", "label", "label_id", "prediction", "error"]
    found = {
        str(row["path"]).removeprefix(f"{images}/"): (
            row["label"],
            (row["prediction"] or row["error"])["label" if row["prediction"] else "code"],  # type: ignore[index]
        )
        for row in rows
    }
    assert found == {
        "blue/c.png": ("blue", "blue"),
        "d.png": (None, "green"),
        "empty.png": (None, "EMPTY"),
        "red/a.png": ("red", "red"),
        "red/b.png": ("red", "blue"),
        "red/text.png": ("red", "UNSUPPORTED"),
    }
    printed = capsys.readouterr().out
    assert "errors     2 (EMPTY 1, UNSUPPORTED 1)" in printed
    assert str(tmp_path / "out") in printed


def test_run_json_has_the_command_the_counts_the_model_and_the_times(
    images: Path, tmp_path: Path, predict: Callable[..., int], colour_bundle: Path
) -> None:
    assert predict(images) == 0
    record = json.loads((tmp_path / "out" / "_run" / "run.json").read_text())
    assert record["command"] == "predict"
    assert record["format"] == "parquet"
    assert record["counts"] == {
        "images": 6,
        "predicted": 4,
        "errors": {"EMPTY": 1, "UNSUPPORTED": 1},
    }
    assert record["model"]["name"] == "colour"
    assert len(record["model"]["sha256"]) == 64
    assert record["arguments"]["source"]["images"] == str(images)
    assert set(record["seconds"]) == {"list", "load", "infer", "write"}


@pytest.mark.parametrize(
    ("options", "rows", "batches"),
    [((), 2, 3), (("--batch-rows", "auto"), 2, 3), (("--batch-rows", "5"), 5, 2)],
)
def test_batches_have_the_measured_size_unless_another_is_given(
    options: tuple[str, ...],
    rows: int,
    batches: int,
    images: Path,
    tmp_path: Path,
    colour_bundle: Path,
) -> None:
    sized = tmp_path / "sized"
    shutil.copytree(colour_bundle, sized)
    manifest = replace(Bundle.load(sized).manifest, batch_rows={"onnx": 2, "pytorch": 8})
    (sized / "model.json").write_bytes(manifest.to_json())
    arguments = ["--images", str(images), "--model", str(sized), "--output", str(tmp_path / "out")]

    assert main(["predict", *arguments, "--threads", "1", *options]) == 0

    record = json.loads((tmp_path / "out" / "_run" / "run.json").read_text())
    assert record["model"]["batch_rows"] == rows
    assert record["worker"]["batches"] == batches  # of 6 images


def test_the_columns_of_a_table_are_kept(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    table = images / "image_data.csv"
    table.write_text(
        "image_path,actual_class,actual_class_id,person\n"
        "red/a.png,red,0,7\nblue/c.png,blue,2,8\ngone.png,red,0,9\n"
    )
    assert predict(table) == 0
    rows = rows_of(tmp_path)
    assert list(rows[0])[:4] == ["image_path", "actual_class", "actual_class_id", "person"]
    assert list(rows[0])[4:] == ["path", "label", "label_id", "prediction", "error"]
    assert [row["path"] for row in rows] == ["red/a.png", "blue/c.png", "gone.png"]
    assert [(row["label"], row["label_id"]) for row in rows] == [
        ("red", 0),
        ("blue", 2),
        ("red", 0),
    ]
    assert rows[2]["error"] == {
        "code": "NOT_FOUND",
        "stage": "read",
        "message": "No such file or directory.",
    }


def test_sequential_gives_the_same_as_batched(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images) == 0
    batched = rows_of(tmp_path)
    assert predict(images, "--sequential", "--overwrite") == 0
    sequential = rows_of(tmp_path)
    for one, other in zip(batched, sequential, strict=True):
        assert (one["path"], one["error"]) == (other["path"], other["error"])
        first, second = one["prediction"], other["prediction"]
        assert isinstance(first, dict) == isinstance(second, dict)
        if isinstance(first, dict) and isinstance(second, dict):
            assert first["label"] == second["label"]
            assert abs(first["score"] - second["score"]) <= 1e-5


def test_csv_has_flat_columns_for_predictions_and_errors(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images, "--format", "csv", "--top-k", "2") == 0
    with (tmp_path / "out" / "part-00000.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0])[3:] == [
        "prediction_label",
        "prediction_class_id",
        "prediction_score",
        "prediction_top_k",
        "error_code",
        "error_stage",
        "error_message",
    ]
    by_name = {Path(row["path"]).name: row for row in rows}
    assert by_name["a.png"]["prediction_label"] == "red"
    top_k = json.loads(by_name["a.png"]["prediction_top_k"])
    assert [entry["label"] for entry in top_k] == ["red", "green"]
    assert by_name["empty.png"]["error_code"] == "EMPTY"
    assert by_name["empty.png"]["prediction_top_k"] == ""


def test_json_has_one_object_per_line(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images, "--format", "json") == 0
    lines = (tmp_path / "out" / "part-00000.json").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 6
    assert rows[0]["prediction"]["label"] == "blue"
    assert rows[0]["error"] is None


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_table_columns_of_any_type_can_be_written(
    format_: str, images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    table = {
        "path": ["d.png"],
        "kind": pa.array(["x"]).dictionary_encode(),
        "bytes": [b"\xff\x00"],
        "sizes": [[1, 2]],
        "price": [Decimal("1.50")],
    }
    pq.write_table(pa.table(table), images / "t.parquet")
    assert predict(images / "t.parquet", "--format", format_) == 0
    (line,) = (tmp_path / "out" / f"part-00000.{format_}").read_text().splitlines()[-1:]
    for text in ("x", "/wA=", "[1, 2]", "1.50", "green"):
        assert text in line


def test_on_error_drop_leaves_errors_out_and_counts_them(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images, "--on-error", "drop") == 0
    assert len(rows_of(tmp_path)) == 4
    record = json.loads((tmp_path / "out" / "_run" / "run.json").read_text())
    assert record["counts"]["images"] == 6


def test_on_error_fail_reports_the_image_and_writes_no_output(
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict(images, "--on-error", "fail") == 1
    assert f"IMAGE_FAILED: {images}/empty.png: EMPTY (decode)" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_too_many_errors_write_no_output(
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict(images, "--max-error-rate", "0.3") == 1
    assert "MAX_ERROR_RATE_EXCEEDED: 2 of 6 images failed" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
    assert predict(images, "--max-error-rate", "0.34") == 0


def test_limit_takes_the_first_images(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images, "--limit", "2") == 0
    assert [Path(str(row["path"])).name for row in rows_of(tmp_path)] == ["c.png", "d.png"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--model", "colours"], "UNKNOWN_MODEL: 'colours'. Known: "),
        (
            ["--backend", "tensorflow"],
            "UNKNOWN_BACKEND: --backend 'tensorflow'. Known: onnx, pytorch, openvino, python.",
        ),
        (["--backend", "pytorch"], "NO_VARIANT: model colour has no pytorch variant"),
        (["--device", "tpu"], "UNKNOWN_DEVICE: --device 'tpu'. Known: auto, cpu, cuda."),
        (["--images", "/nowhere"], "PATH_NOT_FOUND: /nowhere does not exist."),
        (["--images", "gs://b/x"], "PATH_NOT_FOUND: gs://b/x does not exist. Without Spark, only"),
        (["--top-k", "0"], "INVALID_OPTION: Invalid value for '--top-k'"),
        (["--max-error-rate", "1.5"], "INVALID_OPTION: Invalid value for '--max-error-rate'"),
        (["--max-error-rate", "nan"], "INVALID_OPTION: Invalid value for '--max-error-rate'"),
        (["--format", "xml"], "UNKNOWN_FORMAT: --format 'xml'. Known: parquet, csv, json."),
        (["--root", "/tmp"], "WRONG_ARGUMENTS: --root is for a CSV or Parquet table"),  # noqa: S108
        (["--label-column", "x"], "WRONG_ARGUMENTS: --label-column is for a CSV or Parquet table"),
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2(
    options: list[str],
    line: str,
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict(images, *options) == 2
    (found,) = capsys.readouterr().err.splitlines()
    assert found.startswith(f"sightline: {line}")
    assert not (tmp_path / "out").exists()


def test_code_in_a_bundle_runs_only_with_consent(
    images: Path,
    tmp_path: Path,
    colour_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "canary.py").write_text("raise ImportError('the canary ran')")
    monkeypatch.syspath_prepend(tmp_path)
    weights = safetensors.numpy.save({})
    manifest = Bundle.load(colour_bundle).manifest
    files = {**manifest.files, "weights.safetensors": hashlib.sha256(weights).hexdigest()}
    variant = PytorchVariant("weights.safetensors", "canary:make", {})
    model = shutil.copytree(colour_bundle, tmp_path / "model")
    (model / "weights.safetensors").write_bytes(weights)
    (model / "model.json").write_bytes(replace(manifest, pytorch=variant, files=files).to_json())
    arguments = ["predict", "--images", str(images), "--model", str(model), "--backend", "pytorch"]
    arguments += ["--output", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "sightline: CODE_NOT_ALLOWED: model 'colour' loads" in capsys.readouterr().err
    assert main([*arguments, "--allow-code"]) == 2
    assert "'canary:make': the canary ran" in capsys.readouterr().err


def test_the_suggested_next_command_has_the_path_of_the_jar(
    images: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images) == 0
    next_line = capsys.readouterr().out.splitlines()[-1]
    assert re.match(r"next +spark-submit \S*sightline\.jar evaluate --predictions ", next_line)


def test_a_flipped_byte_in_the_bundle_is_refused(
    images: Path,
    tmp_path: Path,
    colour_bundle: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in colour_bundle.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes())
    manifest = (damaged / "model.json").read_text().replace("Names the", "Tells the")
    (damaged / "model.json").write_text(manifest)  # another hash, so it is not in the session cache
    graph = bytearray((damaged / "model.onnx").read_bytes())
    graph[20] ^= 1
    (damaged / "model.onnx").write_bytes(graph)
    arguments = ["--model", str(damaged), "--output", str(tmp_path / "out")]
    assert main(["predict", "--images", str(images), *arguments]) == 2
    assert "'model.onnx' has changed" in capsys.readouterr().err


def test_the_printed_time_has_its_parts(
    images: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images) == 0
    found = re.search(
        r"^time +([\d.]+) s: startup ([\d.]+), list ([\d.]+), load ([\d.]+), infer ([\d.]+), "
        r"write ([\d.]+), other ([\d.]+)$",
        capsys.readouterr().out,
        re.M,
    )
    assert found
    whole, *parts = map(float, found.groups())
    assert whole == pytest.approx(sum(parts), abs=0.5)


def test_files_that_are_not_images_are_skipped_reported_and_recorded(
    images: Path, tmp_path: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "manifest.csv").write_text("path\n")
    (images / "red" / "LICENSE").touch()
    assert predict(images) == 0
    assert "2 files left out (1 without an ending, 1 .csv)" in capsys.readouterr().err
    assert len(rows_of(tmp_path)) == 6
    record = json.loads((tmp_path / "out" / "_run" / "run.json").read_text())
    assert record["left_out"] == {"csv": 1, "": 1}
    assert predict(images, "--overwrite", "--include", "*", "--exclude", "*.PNG") == 0
    table = pq.read_table(tmp_path / "out" / "part-00000.parquet")
    errors = pc.struct_field(table.column("error"), "code").to_pylist()
    assert errors == ["UNSUPPORTED", "EMPTY"]


def test_a_run_skips_earlier_outputs_in_the_folder_of_images(
    images: Path, tmp_path: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images, "--output", str(images / "out")) == 0
    assert predict(images, "--include", "*") == 0
    assert len(rows_of(tmp_path)) == 6
    assert f"Skipped, because they are outputs of runs: {images}/out." in capsys.readouterr().err
