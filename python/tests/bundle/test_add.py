import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.backends.device import Device
from sightline.backends.onnx import BACKEND as ONNX
from sightline.backends.pytorch import BACKEND as PYTORCH
from sightline.bundle.add import add_bundle
from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.bundle.signature import Classes
from sightline.errors import SightlineError, WrongUseError

from .graphs import linear


def leftovers(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def from_onnx(request: AddRequest, path: Path) -> AddRequest:
    return replace(request, onnx=path, weights=None, architecture="", arguments={})


def test_a_bundle_from_weights_has_two_variants_that_agree(tiny: Bundle) -> None:
    manifest = tiny.manifest

    assert manifest.variants == ("onnx", "pytorch")
    assert max(manifest.golden.max_abs_delta.values()) < 1e-5
    assert manifest.parameters == 3 * 4 * 9 + 4 + 8 + 4 * 3 + 3
    classes = manifest.signature.require_classes("tiny")
    assert classes.head == Classes("labels.txt", "softmax")
    assert classes.tensor.shape == ("n", 3)
    assert manifest.signature.inputs[0].tensor.shape == ("n", 16, 12, 3)


def test_the_files_are_exactly_those_of_the_manifest(tiny: Bundle) -> None:
    names = {file.name for file in tiny.path.iterdir()}

    assert names == {"model.json", *tiny.manifest.files}


@pytest.mark.parametrize("rows", [1, 5, 33])
def test_the_exported_graph_takes_any_number_of_rows(tiny: Bundle, rows: int) -> None:
    images = np.random.default_rng(rows).integers(0, 256, (rows, 16, 12, 3), np.uint8)

    feeds = {"images": images}
    one = ONNX.open(tiny, Device("cpu"), 1).run(feeds, ["logits"])["logits"]
    session = PYTORCH.open(tiny, Device("cpu"), 1, allow_code=True)
    other = session.run(feeds, ["logits"])["logits"]

    assert one.shape == (rows, 3)
    assert np.abs(one - other).max() < 1e-5


def test_nothing_in_the_bundle_names_the_machine(tiny: Bundle) -> None:
    for file in tiny.path.iterdir():
        assert b"tiny_networks.py" not in file.read_bytes()
        assert str(Path.home()).encode() + b"/" not in file.read_bytes()


def test_the_same_request_gives_the_same_bundle(tiny_request: AddRequest, tmp_path: Path) -> None:
    request = replace(tiny_request, export="nothing")

    first, second = (add_bundle(request, tmp_path / place) for place in ("a", "b"))

    assert first.sha256 == second.sha256


def test_an_onnx_file_gives_an_onnx_only_bundle(tiny_request: AddRequest, tmp_path: Path) -> None:
    bundle = add_bundle(from_onnx(tiny_request, linear(tmp_path / "x.onnx")), tmp_path / "models")

    assert bundle.manifest.variants == ("onnx",)
    assert bundle.manifest.signature.require_classes("x").name == "answer"
    assert bundle.manifest.golden.max_abs_delta["onnx"] < 1e-5


def test_a_bundle_that_contains_the_source_file_is_not_replaced(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    request = from_onnx(tiny_request, linear(tmp_path / "x.onnx"))
    bundle = add_bundle(request, tmp_path / "models")
    (tmp_path / "link").symlink_to(bundle.path)
    for source in (bundle.path / "model.onnx", tmp_path / "link" / "model.onnx"):
        with pytest.raises(WrongUseError, match=r"OUTPUT_HOLDS_INPUT: .* holds .*model.onnx"):
            add_bundle(from_onnx(request, source), tmp_path / "models", "replace")
    assert Bundle.load(bundle.path).sha256 == bundle.sha256


def test_a_model_that_gives_probabilities_needs_no_softmax(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    request = replace(
        tiny_request,
        architecture="tiny_networks:ending_in_softmax",
        arguments={},
        weights=prefixed(tiny_request, tmp_path),
        export="nothing",
    )

    signature = add_bundle(request, tmp_path / "models").manifest.signature
    assert signature.require_classes("x").head == Classes("labels.txt", "none")
    forced = replace(request, activation="softmax", name="forced")
    with pytest.raises(WrongUseError, match=r"^BAD_ACTIVATION: .* gives probabilities: within"):
        add_bundle(forced, tmp_path / "models")


def prefixed(request: AddRequest, folder: Path) -> Path:
    """The tiny weights with the names they have inside a Sequential."""
    import torch

    from sightline.bundle.weights import read_weights

    assert request.weights is not None
    tensors = {f"0.{name}": value for name, value in read_weights(request.weights).items()}
    torch.save(tensors, folder / "prefixed.pth")
    return folder / "prefixed.pth"


def test_variants_that_disagree_are_refused_and_nothing_is_left(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    request = replace(tiny_request, onnx=linear(tmp_path / "x.onnx"))

    with pytest.raises(SightlineError, match=r"MODEL_VARIANTS_DISAGREE: the onnx variant of tiny"):
        add_bundle(request, tmp_path / "models")

    assert leftovers(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": ("a", "b")},
            r"LABEL_COUNT_MISMATCH: there are 2 labels, .* gives logits \(n, 3\)",
        ),
        ({"architecture": "torchvision:resnet5"}, r"UNKNOWN_ARCHITECTURE: .*resnet50"),
        ({"architecture": "timm:efficientnet_lite"}, r"UNKNOWN_ARCHITECTURE: .*efficientnet_lite0"),
        ({"architecture": "tiny_networks:two_layer"}, r"UNKNOWN_ARCHITECTURE: .*Close: two_layers"),
        ({"architecture": "nowhere.net:make"}, r"UNKNOWN_ARCHITECTURE: .*No module named 'nowhere"),
        ({"arguments": {"width": 5}}, r"WEIGHTS_MISMATCH: .*misshapen \(first: '0.weight' is "),
        ({"arguments": {"depth": 5}}, r"BAD_ARCHITECTURE: .*unexpected keyword argument 'depth'"),
        ({"architecture": "tiny_networks:Pair", "arguments": {}}, r"WEIGHTS_MISMATCH: .*9 unexp"),
        ({"architecture": ""}, r"NO_SOURCE: --weights and --architecture must be given together"),
        ({"weights": None, "architecture": ""}, r"NO_SOURCE: give --onnx FILE, or --weights FILE"),
        ({"name": "../x"}, r"WRONG_MODEL_NAME: '../x'"),
    ],
)
def test_a_request_that_does_not_fit_the_model_is_refused_in_one_line(
    tiny_request: AddRequest, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUseError, match=message) as error:
        add_bundle(replace(tiny_request, **change), tmp_path / "deep/models")  # type: ignore[arg-type]

    assert "\n" not in str(error.value)
    assert leftovers(tmp_path / "deep/models") == []
    assert leftovers(tmp_path / "deep") in ([], ["models"])  # and no draft beside it


def test_an_existing_bundle_is_replaced_only_with_overwrite(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    request = replace(tiny_request, export="nothing")
    first = add_bundle(request, tmp_path)

    with pytest.raises(WrongUseError, match=r"MODEL_EXISTS: .*Use --overwrite"):
        add_bundle(request, tmp_path)
    second = add_bundle(replace(request, licence="Apache-2.0"), tmp_path, "replace")

    assert second.sha256 != first.sha256
    assert second.manifest.licence == "Apache-2.0"
    assert leftovers(tmp_path) == ["tiny"]


def test_a_failed_replacement_keeps_the_old_bundle(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    request = replace(tiny_request, export="nothing")
    first = add_bundle(request, tmp_path)

    with pytest.raises(WrongUseError, match=re.escape("LABEL_COUNT_MISMATCH")):
        add_bundle(replace(request, labels=("a",)), tmp_path, "replace")

    assert Bundle.load(tmp_path / "tiny").sha256 == first.sha256
    assert leftovers(tmp_path) == ["tiny"]


def test_the_error_for_a_network_that_cannot_be_exported_has_a_remedy(
    tiny_request: AddRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no\nway")

    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(SightlineError, match=r"EXPORT_FAILED: .*no way\. Give an ONNX file"):
        add_bundle(tiny_request, tmp_path)


def test_the_error_without_the_exporter_names_its_package(
    tiny_request: AddRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else real(name)
    )
    with pytest.raises(
        WrongUseError, match=r"MISSING_PACKAGE: models add needs the package onnxscript"
    ):
        add_bundle(tiny_request, tmp_path)
