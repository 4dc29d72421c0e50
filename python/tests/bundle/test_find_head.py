from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sightline.backends.architecture import build_architecture
from sightline.backends.device import Device
from sightline.backends.registry import find_backend
from sightline.bundle.add import add_bundle
from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.bundle.find_head import find_head
from sightline.bundle.golden import golden_of, read_golden
from sightline.bundle.graph import tensor_of
from sightline.bundle.signature import Kind, Output
from sightline.bundle.tensor_spec import TensorSpec
from sightline.bundle.verify import verify_bundle

from .graphs import linear


@pytest.mark.parametrize(
    ("architecture", "arguments", "head", "length"),
    [
        ("torchvision:resnet18", {}, "fc", 512),
        ("torchvision:mobilenet_v3_small", {}, "classifier.3", 1024),
        ("timm:mobilenetv3_small_050", {}, "classifier", 1024),
        ("timm:test_vit", {}, "head", 64),
        ("timm:test_convnext", {}, "head.fc", 64),
        ("tiny_networks:two_layers", {"width": 7}, "5", 7),
        ("tiny_networks:ending_in_a_convolution", {}, "", 0),
        ("tiny_networks:ending_in_softmax", {}, "", 0),
        ("tiny_networks:mean_of_heads", {}, "", 0),
        ("tiny_networks:shapes_after", {}, "", 0),
    ],
)
def test_the_layer_that_gives_the_scores_is_found_by_running_the_network(
    networks: None, architecture: str, arguments: dict[str, object], head: str, length: int
) -> None:
    torch.manual_seed(0)
    network = build_architecture(architecture, arguments, allow_code=True)
    pixels = torch.rand(2, 3, 160, 160)
    with torch.inference_mode():
        scores = network(pixels)
        found = find_head(network, pixels, scores)

        assert torch.equal(network(pixels), scores)  # the network is unchanged
    name, features = found or ("", torch.zeros(2, 0))
    assert name == head
    assert features.shape == (2, length)


def test_all_variants_give_the_features_that_the_head_is_given(tiny: Bundle) -> None:
    images = np.random.default_rng(3).integers(0, 256, (5, 16, 12, 3), np.uint8)
    sessions = {
        name: find_backend(name).open(tiny, Device("cpu"), 1, allow_code=True)
        for name in ("pytorch", "onnx", "openvino")
    }

    found = {
        name: session.run({"images": images}, ["logits", "features"])
        for name, session in sessions.items()
    }

    vector = Output(TensorSpec("features", "float32", ("n", 4)), Kind("vector"))
    assert tiny.manifest.signature.vector == vector
    assert tiny.manifest.pytorch is not None
    assert tiny.manifest.pytorch.head == "5"
    layer = sessions["pytorch"].model.get_submodule("network.head")  # type: ignore[attr-defined]
    weight, bias = (one.detach().numpy() for one in (layer.weight, layer.bias))
    for outputs in found.values():
        assert outputs["features"].shape == (5, 4)
        assert outputs["features"] == pytest.approx(found["pytorch"]["features"], abs=1e-5)
        assert outputs["logits"] == pytest.approx(outputs["features"] @ weight.T + bias, abs=1e-5)


def test_computing_only_features_does_not_run_the_head(tiny: Bundle) -> None:
    session = find_backend("pytorch").open(tiny, Device("cpu"), 1, allow_code=True)
    feeds = {"images": np.zeros((2, 16, 12, 3), np.uint8)}
    both = session.run(feeds, ["logits", "features"])
    calls: list[object] = []
    layer = session.model.get_submodule("network.head")  # type: ignore[attr-defined]
    layer.register_forward_hook(lambda *_: calls.append(None))

    found = session.run(feeds, ["features"])

    assert calls == []
    assert sorted(found) == ["features"]
    assert np.array_equal(found["features"], both["features"])
    assert sorted(session.run(feeds, ["logits"])) == ["logits"]
    assert len(calls) == 1


def test_a_network_without_such_a_layer_has_only_scores(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    tensors = {"0.weight": torch.rand(3, 3, 3, 3), "0.bias": torch.rand(3)}
    request = replace(
        tiny_request,
        weights=None,
        architecture="tiny_networks:ending_in_a_convolution",
        arguments={},
    )

    manifest = add_bundle(request, tmp_path, tensors=tensors).manifest

    assert manifest.signature.vector is None
    assert manifest.pytorch is not None
    assert manifest.pytorch.head == ""


def test_features_of_an_onnx_file_are_those_of_the_weights_only_if_they_are_the_same(
    tiny: Bundle, tiny_request: AddRequest, tmp_path: Path
) -> None:
    """The exported graph computes the same function, also without its second output."""
    import onnx

    both, scores = tmp_path / "both.onnx", tmp_path / "scores.onnx"
    graph = onnx.load_from_string(tiny.read_bytes("model.onnx"))
    assert [tensor_of(one).name for one in graph.graph.output] == ["logits", "features"]
    both.write_bytes(graph.SerializeToString())
    del graph.graph.output[1]
    scores.write_bytes(graph.SerializeToString())

    whole = add_bundle(replace(tiny_request, onnx=both), tmp_path / "a").manifest
    less = add_bundle(replace(tiny_request, onnx=scores), tmp_path / "b").manifest

    assert whole.pytorch is not None
    assert less.pytorch is not None
    assert (whole.pytorch.head, less.pytorch.head) == ("5", "")
    assert [one.name for one in whole.signature.outputs] == ["logits", "features"]
    assert [one.name for one in less.signature.outputs] == ["logits"]


def test_the_golden_batch_has_every_output_and_a_variant_is_checked_on_its_own_outputs(
    tiny: Bundle, tiny_request: AddRequest, tmp_path: Path
) -> None:
    """The file's vectors are twice the layer's input, so the weights do not give them."""
    import onnx

    graph = onnx.load_from_string(tiny.read_bytes("model.onnx"))
    graph.graph.node.append(onnx.helper.make_node("Add", ["features", "features"], ["twice"]))
    graph.graph.output[1].name = "twice"
    (tmp_path / "twice.onnx").write_bytes(graph.SerializeToString())

    bundle = add_bundle(replace(tiny_request, onnx=tmp_path / "twice.onnx"), tmp_path / "models")

    manifest = bundle.manifest
    assert manifest.pytorch is not None
    assert manifest.pytorch.head == ""
    assert sorted(read_golden(bundle)[1]) == ["logits", "twice"]
    assert sorted(golden_of(bundle, "pytorch")[1]) == ["logits"]
    assert [one.name for one in manifest.outputs_of("onnx")] == ["logits", "twice"]
    outcomes = {check.outcome for check in verify_bundle(bundle, allow_code=True)}
    assert outcomes == {"ok"}


def test_a_bundle_from_only_an_onnx_file_has_no_head(
    tiny_request: AddRequest, tmp_path: Path
) -> None:
    path = linear(tmp_path / "x.onnx")
    request = replace(tiny_request, onnx=path, weights=None, architecture="", arguments={})

    assert add_bundle(request, tmp_path / "models").manifest.signature.vector is None
