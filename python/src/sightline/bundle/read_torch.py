"""Reads weights and a named architecture as the source model of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch

from sightline.backends.architecture import build_architecture, load_weights
from sightline.backends.backend import Float32Array, UInt8Array
from sightline.backends.divided import Divided
from sightline.backends.pytorch import PixelModel
from sightline.bundle.class_count import with_class_count
from sightline.bundle.export import export_onnx
from sightline.bundle.find_head import find_head
from sightline.bundle.graph import default_opset
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.outputs import choose_outputs
from sightline.bundle.signature import Output
from sightline.bundle.source_model import SourceModel
from sightline.bundle.weights import read_weights
from sightline.errors import WrongUseError

SCORES, FEATURES = "logits", "features"


def read_torch(
    weights: Path | Mapping[str, torch.Tensor],
    architecture: str,
    arguments: Mapping[str, object],
    preprocessing: Preprocessing,
    labels: int,
    images: UInt8Array,
) -> tuple[SourceModel, PixelModel]:
    """Read the weights, build the network, and run it on the golden images.

    Args:
        weights: A .safetensors or .pth file, or the tensors.
        architecture: See `build_architecture`. Code of any package is allowed here.
        arguments: Keyword arguments of the architecture. `num_classes` is read from the weights
            if it is missing.
        preprocessing: Mean and std of the input.
        labels: Number of labels.
        images: The golden images, (n, height, width, 3) uint8.

    Returns:
        The source model without an ONNX graph, and the network with its normalisation, which
        computes the outputs of the source model.

    Raises:
        WrongUseError: BAD_WEIGHTS, UNSAFE_WEIGHTS, UNKNOWN_ARCHITECTURE, BAD_ARCHITECTURE,
            WEIGHTS_MISMATCH, LABEL_COUNT_MISMATCH or NOT_FINITE.
    """
    tensors = read_weights(weights) if isinstance(weights, Path) else dict(weights)
    network = build_architecture(architecture, arguments, allow_code=True)
    counted = with_class_count(architecture, arguments, network.state_dict(), tensors)
    if counted != dict(arguments):
        network = build_architecture(architecture, counted, allow_code=True)
    arguments = counted
    load_weights(network, tensors, architecture)
    torch.set_num_threads(1)
    unit = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255  # (n, 3, height, width)
    mean, std = (torch.tensor(part).reshape(1, 3, 1, 1) for part in _mean_std(preprocessing))
    pixels = ((unit - mean) / std).float()
    with torch.inference_mode():
        try:
            scores = network(pixels)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise _bad(architecture, f"does not run on {tuple(unit.shape)}: {reason}") from error
        if not isinstance(scores, torch.Tensor):
            raise _bad(architecture, f"gives a {type(scores).__name__}, not one tensor of scores")
        found = find_head(network, pixels, scores)
    reference = {SCORES: scores.float().numpy()}
    parameters = sum(one.numel() for one in network.parameters())
    head = ""
    if found is not None:
        head, features = found
        reference[FEATURES] = features.float().numpy()
        network = Divided(network, head)
    material = SourceModel(
        outputs=_outputs(reference, len(images), labels, architecture),
        scores=SCORES,
        reference=reference,
        parameters=parameters,
        weights=safetensors.torch.save(tensors),
        head=head,
        arguments=arguments,
    )
    return material, PixelModel(network, preprocessing).eval()


def with_export(
    material: SourceModel, model: PixelModel, preprocessing: Preprocessing
) -> SourceModel:
    """Return the source model with an ONNX graph that is exported from the network.

    Raises:
        SightlineError: EXPORT_FAILED.
    """
    graph = export_onnx(model, preprocessing.size, [one.name for one in material.outputs])
    return replace(
        material, onnx=graph.SerializeToString(deterministic=True), opset=default_opset(graph)
    )


def _outputs(
    reference: Mapping[str, Float32Array], rows: int, labels: int, architecture: str
) -> tuple[Output, ...]:
    """Return the outputs of the network. Its scores must already be (n, classes)."""
    if reference[SCORES].ndim != 2:
        shape = ", ".join(map(str, reference[SCORES].shape[1:]))
        raise _bad(
            architecture,
            f"gives scores of shape (n, {shape}), not (n, classes). Export it with "
            "torch.onnx.export and add the ONNX file with --onnx, which accepts other shapes",
        )
    kept = choose_outputs(reference, rows, labels, f"'{architecture}'", scores=SCORES)
    return tuple(one.output for one in kept)


def _mean_std(preprocessing: Preprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return preprocessing.mean, preprocessing.std


def _bad(architecture: str, problem: str) -> WrongUseError:
    return WrongUseError("BAD_ARCHITECTURE", f"'{architecture}' {problem}.")
