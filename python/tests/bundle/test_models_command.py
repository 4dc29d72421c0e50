import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.cli.models import models
from sightline.errors import SightlineError, WrongUseError

from .graphs import linear

ADD = "--resize 16x12 --mean 0.5 --std 0.5,0.5,0.5"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(models, list(arguments))


@pytest.mark.parametrize("command", sorted(models.commands))
def test_every_command_shows_an_example(command: str) -> None:
    result = call(command, "--help")

    assert result.exit_code == 0
    assert f"sightline models {command}" in result.output


def test_an_onnx_file_is_added_listed_described_and_verified(tmp_path: Path) -> None:
    path, root = linear(tmp_path / "x.onnx"), str(tmp_path / "models")
    (tmp_path / "labels.txt").write_text("cat\ndog\nfish\n")
    added = call(
        *f"add lin --onnx {path} --labels {tmp_path}/labels.txt {ADD} --models {root}".split(),
        *["--accuracy", "pets", "100", "0.5", "--licence", "MIT"],
    )

    assert added.exit_code == 0, added.exception
    assert "onnx only" in added.output
    assert "features: none; the ONNX file has no second output" in added.output
    assert "lin " in call("list", "--models", root).output
    assert "50.00% on 100 x pets" in call("describe", "lin", "--models", root).output
    manifest = json.loads(call("describe", "lin", "--json", "--models", root).output)
    assert manifest["inputs"][0]["feed"]["resize"]["mode"] == "stretch"
    assert "verified lin" in call("verify", "lin", "--models", root).output


def test_a_state_dict_is_added(tiny_request: AddRequest, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\nfish\n")
    result = call(
        *f"add tiny --weights {tiny_request.weights}".split(),
        *f"--labels {tmp_path}/labels.txt {ADD} --models {tmp_path} --no-export".split(),
        "--architecture",
        "tiny_networks:two_layers",
        "--architecture-arguments",
        '{"classes": 3}',
    )

    assert result.exit_code == 0, result.exception
    assert "pytorch only" in result.output


def test_a_damaged_bundle_fails_verification_with_status_one(tiny: Bundle) -> None:
    (tiny.path / "labels.txt").write_text("cat\ndog\nfist\n")

    result = call("verify", "--allow-code", str(tiny.path))

    assert "failed   labels.txt" in result.output
    assert isinstance(result.exception, SightlineError)
    assert not isinstance(result.exception, WrongUseError)
    assert "labels.txt" in str(result.exception)


def test_an_unreadable_manifest_fails_verification_with_status_one(tiny: Bundle) -> None:
    (tiny.path / "model.json").write_text("{")

    error = call("verify", str(tiny.path)).exception

    assert isinstance(error, SightlineError)
    assert not isinstance(error, WrongUseError)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("--resize 0", "must be pixels"),
        ("--resize 1x2x3", "must be pixels"),
        ("--mean 124", "within 0..1"),
        ("--mean a,b,c", "three numbers"),
        ("--architecture-arguments [1]", "must be an object"),
        ("--architecture-arguments {", "not JSON"),
        ("--std 0", "--std must be above 0"),
        ("--resize 16", "needs --crop"),
        ("--resize none", "--resize must be pixels"),
    ],
)
def test_a_wrong_option_is_wrong_use(tmp_path: Path, wrong: str, message: str) -> None:
    (tmp_path / "labels.txt").write_text("cat\n")
    result = call(*f"add x --labels {tmp_path}/labels.txt {ADD} {wrong}".split())

    assert isinstance(result.exception, WrongUseError) or result.exit_code == 2
    assert message in result.output + str(result.exception)


@pytest.mark.parametrize(("text", "line"), [("cat\n\ndog\n", 2), ("", 1)])
def test_an_empty_label_is_refused(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "labels.txt").write_text(text)

    error = call(*f"add x --labels {tmp_path}/labels.txt {ADD}".split()).exception

    assert f"BAD_LABELS: line {line} of" in str(error)
