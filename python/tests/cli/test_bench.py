import json
from pathlib import Path

import pytest

from sightline.cli.main import main

PARTS = ["raw decode", "raw inference", "sequential loop", "engine"]


@pytest.fixture
def options(images: Path, colour_bundle: Path) -> list[str]:
    model = ["--model", "colour", "--models", str(colour_bundle.parent)]
    return ["bench", *model, "--images", str(images), "--rounds", "2"]


def test_each_combination_is_measured_in_four_parts(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results" / "bench.json"
    lists = ["--batch-rows", "1,3,1", "--decoder", "fast,exact", "--threads", "2"]
    assert main([*options, *lists, "--json", str(file)]) == 0
    printed = capsys.readouterr()
    record = json.loads(file.read_text())
    assert [(one["decoder"], one["batch_rows"]) for one in record["combinations"]] == [
        ("fast", 1),
        ("fast", 3),
        ("exact", 1),
        ("exact", 3),
    ]
    for one in record["combinations"]:
        assert (one["backend"], one["precision"], one["device"]) == ("onnx", "fp32", "cpu")
        costs = one["parts"]
        assert sorted(costs) == sorted([*PARTS, "raw limit"])
        raw = costs["raw decode"]["cpu_ms"] + costs["raw inference"]["cpu_ms"]
        assert costs["raw limit"]["cpu_ms"] == pytest.approx(raw)
        for part in PARTS:
            assert len(costs[part]["samples"]) == 2
            assert costs[part]["images_per_s"] > 0
            best = min(sample["cpu_ms"] for sample in costs[part]["samples"])
            assert costs[part]["cpu_ms"] == best
    assert record["model"]["name"] == "colour"
    assert record["images"]["measured"] == 4
    assert record["images"]["failed"] == 2
    assert (record["rounds"], record["threads"]) == (2, 2)
    assert record["machine"]["cores"] >= 1
    assert "onnxruntime" in record["versions"]
    table = printed.out.splitlines()
    assert sum(line.startswith("  engine ") for line in table) == 4
    assert "onnx fp32 exact, batches of 3, cpu" in table
    assert "2 could not be decoded" in printed.out
    progress = [line for line in printed.err.splitlines() if "sightline: bench " in line]
    assert len(progress) == 4 * len(PARTS) * 2
    assert progress[0].startswith(
        "sightline: bench 1/4 onnx fp32 fast, batches of 1: raw decode, round 1: "
    )


def test_only_the_first_images_are_measured(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    assert main([*options, "--limit-images", "1", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["images"]["measured"] == 1
    assert f"json       {file}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "status", "message"),
    [
        (["--model", "sparrow"], 2, "UNKNOWN_MODEL: 'sparrow'. Known: "),
        (["--backend", "onnx,tensorflow"], 2, "UNKNOWN_BACKEND: 'tensorflow'. Known: onnx"),
        (["--backend", "pytorch"], 2, "NO_VARIANT: model colour has no pytorch variant"),
        (["--precision", "fp32,fp8"], 2, "UNKNOWN_PRECISION: 'fp8'. Known: fp32"),
        (["--precision", "fp32,int8"], 2, "NOT_CALIBRATED: "),
        (["--precision", "bf16"], 2, "UNSUPPORTED_PRECISION: "),
        (["--decoder", "turbo"], 2, "UNKNOWN_DECODER: 'turbo'. Known: fast, exact"),
        (["--images", "nowhere"], 2, "PATH_NOT_FOUND: nowhere does not exist."),
        (["--batch-rows", "8,none"], 2, "INVALID_OPTION: "),
        (["--batch-rows", "0"], 2, "INVALID_OPTION: "),
        (["--backend", ","], 2, "INVALID_OPTION: "),
    ],
)
def test_wrong_use_ends_before_anything_is_measured(
    options: list[str],
    wrong: list[str],
    status: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*options, *wrong]) == status
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1].startswith(f"sightline: {message}")
    assert "sightline: bench " not in printed.err
    assert printed.out == ""


def test_images_that_cannot_be_decoded_do_not_count_as_images(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/a.png").write_bytes(b"not an image")
    assert main([*options, "--images", str(tmp_path / "broken")]) == 2
    assert "NO_IMAGES: none of the 1 images can be decoded." in capsys.readouterr().err
