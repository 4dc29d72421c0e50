"""Weights with another number of classes than the library's: it is read from the weights."""

import sys
from pathlib import Path

import pytest
import torch
import torchvision
from click.testing import CliRunner, Result

from sightline.bundle.bundle import Bundle
from sightline.cli.models import models
from sightline.errors import WrongUseError

PLAIN = "--resize 64x64 --mean 0.5 --std 0.5 --no-export"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict of a network with five classes, and five labels."""
    folder = tmp_path_factory.mktemp("five")
    torch.manual_seed(5)
    network = torchvision.models.mobilenet_v3_small(num_classes=5)
    torch.save(network.state_dict(), folder / "five.pth")
    (folder / "labels.txt").write_text("daisy\ndandelion\nrose\nsunflower\ntulip\n")
    return folder


def add(folder: Path, root: Path, options: str = PLAIN, name: str = "five") -> Result:
    command = (
        f"add {name} --weights {folder}/five.pth --architecture torchvision:mobilenet_v3_small"
    )
    command += f" --labels {folder}/labels.txt --models {root}"
    return CliRunner().invoke(models, f"{command} {options}".split())


def test_the_number_of_classes_is_taken_from_the_weights(folder: Path, tmp_path: Path) -> None:
    added = add(folder, tmp_path)

    assert added.exit_code == 0, added.exception
    assert "num_classes: 5, from the shapes of the weights" in added.output
    manifest = Bundle.load(tmp_path / "five").manifest
    assert manifest.pytorch is not None
    assert manifest.pytorch.arguments == {"num_classes": 5}
    assert manifest.signature.require_classes("five").tensor.shape == ("n", 5)


def test_a_given_number_of_classes_is_not_changed(folder: Path, tmp_path: Path) -> None:
    refused = add(folder, tmp_path, f'{PLAIN} --architecture-arguments {{"num_classes":6}}')

    assert "WEIGHTS_MISMATCH" in str(refused.exception)
    assert "'classifier.3.weight' is (5, 1024) in the file, (6, 1024) in the network" in str(
        refused.exception
    )


def test_a_mismatch_in_another_layer_is_not_explained_by_the_number_of_classes(
    folder: Path, tmp_path: Path
) -> None:
    tensors = torch.load(folder / "five.pth", weights_only=True)
    tensors["features.0.0.weight"] = tensors["features.0.0.weight"][:5]
    torch.save(tensors, tmp_path / "five.pth")
    (tmp_path / "labels.txt").write_bytes((folder / "labels.txt").read_bytes())

    refused = add(tmp_path, tmp_path / "models")

    assert "WEIGHTS_MISMATCH" in str(refused.exception)


def test_an_existing_name_is_refused_before_any_file_is_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "five").mkdir()
    (folder / "none").mkdir(exist_ok=True)
    for module in ("torch", "torchvision"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails

    refused = add(folder / "none", tmp_path)

    assert isinstance(refused.exception, WrongUseError)
    assert str(refused.exception).startswith("MODEL_EXISTS: ")
