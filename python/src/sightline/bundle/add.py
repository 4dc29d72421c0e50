"""`models add`: makes a checked bundle from a model's files and publishes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.backends.backend import Float32Array, UInt8Array
from sightline.bundle.add_request import INSTALL, PIXELS_AS_THEY_ARE, AddRequest
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import (
    TOLERANCE,
    golden_images,
    pack_golden,
    scaled_delta,
    tolerance_for,
)
from sightline.bundle.manifest import Golden, Manifest, OnnxVariant, PytorchVariant
from sightline.bundle.outputs import decide_activation
from sightline.bundle.signature import Classes, Input, Signature
from sightline.bundle.source_model import SourceModel
from sightline.bundle.tensor_spec import TensorSpec
from sightline.bundle.write_bundle import (
    GOLDEN_FILE,
    ONNX_FILE,
    model_exists,
    require_model_name,
    write_bundle,
)
from sightline.errors import WrongUseError
from sightline.publish import publish_folder, require_replaceable
from sightline.require_package import require_package
from sightline.version import __version__

if TYPE_CHECKING:
    import torch

LABELS_FILE, WEIGHTS_FILE = "labels.txt", "weights.safetensors"


def add_bundle(
    request: AddRequest,
    models_root: Path,
    existing: str = "refuse",
    tensors: Mapping[str, torch.Tensor] | None = None,
) -> Bundle:
    """Introspect, convert, compare and publish one model.

    Args:
        request: The name, the sources and the settings of the model.
        models_root: The parent folder of the bundle's folder. The folder appears only when it is
            complete.
        existing: "refuse" raises an error if a bundle has that name, "replace" replaces it.
        tensors: Weights in memory; they replace `request.weights`.

    Returns:
        The published bundle.

    Raises:
        WrongUseError: If the request is invalid. The condition names the reason.
        SightlineError: MODEL_VARIANTS_DISAGREE, EXPORT_FAILED or DOWNLOAD_FAILED.
    """
    _check(request, tensors)
    target = models_root / request.name
    there = model_exists(target)
    sources = [file for file in (request.onnx, request.weights) if file is not None]
    if existing == "replace":
        require_replaceable(target, sources)
    with publish_folder(target, None if existing == "replace" else there, sources) as folder:
        images = golden_images(request.preprocessing.size)
        material = _read(request, tensors, images)
        contents = {
            LABELS_FILE: "".join(f"{label}\n" for label in request.labels).encode(),
            GOLDEN_FILE: pack_golden({_input_name(material): images}, material.reference),
        }
        if material.onnx is not None:
            contents[ONNX_FILE] = material.onnx
        if material.weights is not None:
            contents[WEIGHTS_FILE] = material.weights
        write_bundle(folder, _manifest(request, material, len(images), contents), contents)
    return Bundle.load(target)


def _check(request: AddRequest, tensors: Mapping[str, torch.Tensor] | None) -> None:
    require_model_name(request.name)
    from_torch = request.weights is not None or tensors is not None or bool(request.pretrained)
    if request.onnx is None and not from_torch:
        raise WrongUseError(
            "NO_SOURCE",
            "give --onnx FILE, or --weights FILE --architecture NAME; for torchvision's own "
            "weights, --architecture torchvision:NAME is enough.",
        )
    if from_torch != bool(request.architecture):
        raise WrongUseError(
            "NO_SOURCE",
            "--weights and --architecture must be given together: the file contains the numbers, "
            "the architecture names their code (torchvision:NAME, timm:NAME or "
            "package.module:function).",
        )
    library = request.architecture.partition(":")[0]
    needed = ["onnx", "onnxruntime"] if request.onnx or request.export == "onnx" else []
    if from_torch:
        needed += ["torch"] + (["onnxscript"] if request.onnx is None and needed else [])
        needed += [library] if library in ("timm", "torchvision") else []
    require_package(*needed, install=INSTALL, purpose="models add")


def _read(
    request: AddRequest, tensors: Mapping[str, torch.Tensor] | None, images: UInt8Array
) -> SourceModel:
    """Read the weights if there are any, else the ONNX file."""
    labels, preprocessing = len(request.labels), request.preprocessing
    graph = None
    if request.onnx is not None:
        from sightline.bundle.read_onnx import read_onnx

        graph = read_onnx(
            request.onnx,
            preprocessing,
            labels,
            images,
            request.activation,
            request.scores_output,
        )
    weights = tensors or request.weights
    if request.pretrained:
        from sightline.bundle.pretrained import fetch_weights

        weights = fetch_weights(request.architecture, request.pretrained)
    if weights is None:
        if graph is None:
            raise WrongUseError("NO_SOURCE", "the request has neither an ONNX file nor weights.")
        if graph.normalises and (preprocessing.mean, preprocessing.std) != PIXELS_AS_THEY_ARE:
            raise WrongUseError(
                "BAD_PREPROCESSING",
                f"'{request.onnx}' takes uint8 pixels and normalises them itself, so --mean and "
                "--std would have no effect. Omit them.",
            )
        return graph
    from sightline.bundle.read_torch import read_torch, with_export

    material, model = read_torch(
        weights, request.architecture, request.arguments, preprocessing, labels, images
    )
    if graph is None:
        return with_export(material, model, preprocessing) if request.export == "onnx" else material
    # The weights define their outputs. Other outputs come from the ONNX file.
    reference = {**graph.reference, graph.scores: material.reference[material.scores]}
    same = _same_features(graph, material)
    if graph.features is not None and material.features is not None and same:
        reference[graph.features] = material.reference[material.features]
    return replace(
        material,
        outputs=graph.outputs,
        scores=graph.scores,
        reference=reference,
        precision=graph.precision,
        head=material.head if same else "",
        onnx=graph.onnx,
        opset=graph.opset,
    )


def _same_features(graph: SourceModel, material: SourceModel) -> bool:
    """Whether the ONNX file's features equal the input of the torch network's head."""
    if graph.features is None or material.features is None:
        return False
    found, expected = graph.reference[graph.features], material.reference[material.features]
    return scaled_delta(found, expected) <= TOLERANCE


def _manifest(
    request: AddRequest, material: SourceModel, rows: int, contents: Mapping[str, bytes]
) -> Manifest:
    scores = material.reference[material.scores]
    tolerance = tolerance_for(scores, material.precision)
    pytorch = PytorchVariant(
        WEIGHTS_FILE, request.architecture, dict(material.arguments), material.head
    )
    manifest = Manifest(
        name=request.name,
        description=request.description,
        signature=_signature(request, material, _activation(request, material, scores, tolerance)),
        onnx=OnnxVariant(ONNX_FILE, material.opset) if material.onnx is not None else None,
        pytorch=pytorch if material.weights is not None else None,
        parameters=material.parameters,
        golden=Golden(GOLDEN_FILE, rows, tolerance, {}),
        files={file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        licence=request.licence,
        source=request.source,
        created_by=f"sightline {__version__}",
        accuracy=request.accuracy,
    )
    return Manifest.from_json(manifest.to_json(), "models add")  # run the reader's checks early


def _signature(request: AddRequest, material: SourceModel, activation: str) -> Signature:
    size = request.preprocessing.size
    pixels = TensorSpec(_input_name(material), "uint8", ("n", size.height, size.width, 3))
    classes = Classes(LABELS_FILE, activation)
    return Signature(
        (Input(pixels, request.preprocessing),),
        tuple(
            replace(one, head=classes) if one.name == material.scores else one
            for one in material.outputs
        ),
    )


def _activation(
    request: AddRequest, material: SourceModel, scores: Float32Array, tolerance: float
) -> str:
    if material.gives_two:
        return "none"
    if material.head and request.activation == "auto":
        return "softmax"  # a linear layer gives logits; untrained ones may be within 0..1
    what = f"'{request.onnx or request.architecture}'"
    return decide_activation(scores, request.activation, what, tolerance)


def _input_name(material: SourceModel) -> str:
    if material.onnx is None:
        return "images"
    import onnx

    name: str = onnx.load_from_string(material.onnx).graph.input[0].name
    return name
