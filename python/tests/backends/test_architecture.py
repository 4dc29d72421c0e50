import os
import sys
from pathlib import Path

import pytest
import torch

from sightline.backends.architecture import build_architecture, load_weights
from sightline.errors import WrongUseError


def test_a_module_class_of_any_package_can_be_named() -> None:
    module = build_architecture(
        "torch.nn:Linear", {"in_features": 2, "out_features": 3}, allow_code=True
    )

    assert isinstance(module, torch.nn.Linear)
    assert not module.training


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("os:mkdir", {"path": "canary"}),
        ("os:system", {"command": "mkdir canary"}),
        ("subprocess:run", {"args": ["mkdir", "canary"]}),
        ("builtins:exec", {}),
        ("torch:load", {"f": "x"}),
    ],
)
def test_a_function_that_makes_no_module_is_never_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(WrongUseError, match=r"BAD_ARCHITECTURE: .*'-> torch\.nn\.Module'"):
        build_architecture(name, arguments, allow_code=True)

    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize("name", ["canary_net:make", "canary_net", "canary_net.timm:make"])
def test_code_is_not_imported_without_consent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "canary_net.py").write_text("raise SystemExit('the canary ran')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        WrongUseError, match=f"CODE_NOT_ALLOWED: model 'x' .*'{name}'.*--allow-code"
    ):
        build_architecture(name, {}, model="x")

    assert "canary_net" not in sys.modules


def test_code_of_the_package_itself_needs_no_consent() -> None:
    name = "sightline.backends.compact_cnn:CompactCnn"

    with pytest.raises(WrongUseError, match="BAD_ARCHITECTURE"):
        build_architecture(name, {"nothing": 1})


@pytest.mark.parametrize("argument", ["weights", "pretrained", "checkpoint_path"])
def test_arguments_that_fetch_weights_are_refused(argument: str) -> None:
    with pytest.raises(WrongUseError, match=f"the argument '{argument}' is refused"):
        build_architecture("torchvision:resnet18", {argument: "DEFAULT"})


@pytest.mark.parametrize("name", ["torch.nn:Nothing", "nowhere:make", "torch.nn.nowhere:make"])
def test_an_unknown_function_is_named(name: str) -> None:
    with pytest.raises(WrongUseError, match=f"UNKNOWN_ARCHITECTURE: '{name}'"):
        build_architecture(name, {}, allow_code=True)


def test_a_mismatch_counts_and_names_the_tensors() -> None:
    weights = {"weight": torch.ones(3, 5), "scale": torch.ones(1)}

    with pytest.raises(WrongUseError, match=r"^WEIGHTS_MISMATCH: ") as error:
        load_weights(torch.nn.Linear(2, 3), weights, "linear")

    for part in ("linear", "1 missing (first: bias)", "1 unexpected (first: scale)", "(3, 5)"):
        assert part in str(error.value)


def test_weights_are_copied_in() -> None:
    module = torch.nn.Linear(2, 1)

    load_weights(module, {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.zeros(1)}, "linear")

    assert module(torch.tensor([[3.0, 4.0]])).item() == 11


@pytest.mark.parametrize("name", ["fcn_resnet50", "retinanet_resnet50_fpn", "resnet18"])
def test_no_backbones_weights_are_downloaded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(url: str, *_: object, **__: object) -> None:
        raise AssertionError(f"{url} was asked for")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)

    assert build_architecture(f"torchvision:{name}", {}).state_dict()
