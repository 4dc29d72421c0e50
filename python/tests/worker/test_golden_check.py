import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from sightline.worker.golden_check import main


def test_a_valid_bundle_passes_its_golden_batch(
    colour_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(colour_bundle)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    checks = json.loads(line)
    assert {check["outcome"] for check in checks} == {"ok"}
    assert [check["subject"] for check in checks if check["golden"]] == ["onnx variant"]


def test_wrong_numbers_are_a_failed_check(
    tmp_path: Path, colour_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "colour"
    folder.mkdir()
    for file in colour_bundle.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    golden = load_file(folder / "golden.safetensors")
    save_file({name: value + 1 for name, value in golden.items()}, folder / "golden.safetensors")
    assert main([str(folder)]) == 0
    checks = {check["subject"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["golden.safetensors"]["outcome"] == "failed"
    assert checks["onnx variant"]["outcome"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "WRONG_ARGUMENTS"),
        (["a", "b"], "WRONG_ARGUMENTS"),
        (["a", "--fast"], "WRONG_ARGUMENTS"),
    ],
)
def test_wrong_use_is_reported(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(message)


def test_a_folder_that_is_not_a_bundle_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "INVALID_BUNDLE" in capsys.readouterr().err
