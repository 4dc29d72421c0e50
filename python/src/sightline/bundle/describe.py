"""`models describe`: one bundle as text."""

from __future__ import annotations

from sightline.bundle.add_request import PIXELS_AS_THEY_ARE
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Calibration
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.manifest import Manifest
from sightline.bundle.signature import Classes, Output

_LABELS_SHOWN = 5


def describe_bundle(bundle: Bundle) -> str:
    """Return a summary of the bundle that names no framework, one fact per line."""
    manifest = bundle.manifest
    signature = manifest.signature
    facts = [
        ("model", manifest.name),
        ("description", manifest.description or "none"),
        ("parameters", f"{manifest.parameters:,}"),
        *[("input", f"{one.tensor}, {one.kind}") for one in signature.inputs],
        *[("output", f"{one.tensor}, {one.kind}") for one in signature.outputs],
        *([("largest batch", f"{manifest.most_rows:,}")] if manifest.most_rows else []),
        *([("batch rows", _batch_rows(manifest))] if manifest.batch_rows else []),
        *[fact for output in signature.class_outputs for fact in _classes(bundle, output)],
        *[
            ("preprocessing", _preprocessing(one.feed))
            for one in signature.inputs
            if isinstance(one.feed, Preprocessing)
        ],
        *_variants(manifest),
        *[("calibration", _calibration(one)) for one in manifest.calibration],
        *[
            ("accuracy", f"top-1 {a.top1:.2%} on {a.rows:,} x {a.dataset}")
            for a in manifest.accuracy
        ],
        ("licence", manifest.licence),
        ("source", manifest.source),
        ("made by", manifest.created_by),
        ("sha256", bundle.sha256),
        ("where", str(bundle.path)),
    ]
    return "\n".join(f"{name:<14} {value}" for name, value in facts)


def _batch_rows(manifest: Manifest) -> str:
    sizes = [f"{backend} {rows}" for backend, rows in manifest.batch_rows.items()]
    return f"{', '.join(sizes)} (measured on a CPU)"


_ACTIVATIONS = {
    "softmax": "softmax: the scores are logits",
    "sigmoid": "sigmoid: the scores are logits of labels; an image may have several labels",
    "none": "none: the scores are probabilities",
}


def _classes(bundle: Bundle, output: Output) -> list[tuple[str, str]]:
    labels = bundle.labels_of(output)
    more = ", …" if len(labels) > _LABELS_SHOWN else ""
    activation = output.head.activation if isinstance(output.head, Classes) else ""
    return [
        ("activation", _ACTIVATIONS[activation]),
        ("labels", f"{len(labels):,}: {', '.join(labels[:_LABELS_SHOWN])}{more}"),
    ]


def _preprocessing(how: Preprocessing) -> str:
    resize = f"{how.resize.height} x {how.resize.width}"
    if how.resize.mode == "shortest_edge":
        resize = f"shortest edge to {how.resize.height}"
    crop = f"centre crop {how.crop.height} x {how.crop.width}; " if how.crop else ""
    normalise = "the graph takes unchanged pixels, 0..255"
    if (how.mean, how.std) != PIXELS_AS_THEY_ARE:
        mean, std = (", ".join(f"{one:.6g}" for one in part) for part in (how.mean, how.std))
        normalise = f"(pixel / 255 - [{mean}]) / [{std}], inside the graph"
    return f"{how.color}; resize {resize}, {how.resize.interpolation}; {crop}{normalise}"


def _variants(manifest: Manifest) -> list[tuple[str, str]]:
    lines = []
    deltas = manifest.golden.max_abs_delta
    for name, variant in (("onnx", manifest.onnx), ("pytorch", manifest.pytorch)):
        if variant is None:
            lines.append((name, "no such variant in this bundle"))
            continue
        delta = f"{deltas[name]:.2g}" if name in deltas else "unknown"
        lines.append((name, f"{variant.file}; largest difference from the source {delta}"))
    lines += [(name, str(one["file"])) for name, one in manifest.other_variants.items()]
    if manifest.onnx_int8:
        lines.append(("onnx int8", f"{manifest.onnx_int8.file}, quantised from the onnx variant"))
    if manifest.onnx:
        lines.append(("onnx opset", str(manifest.onnx.opset)))
    if manifest.pytorch:
        lines.append(("architecture", f"{manifest.pytorch.architecture}"))
        lines.append(("arguments", f"{dict(manifest.pytorch.arguments)}"))
        if manifest.pytorch.head:
            lines.append(("head", f"{manifest.pytorch.head}, whose input is the features"))
    return lines


def _calibration(one: Calibration) -> str:
    both = ""
    if one.top1 is not None and one.top1_fp32 is not None:
        both = f", top-1 {one.top1:.2%} (fp32 {one.top1_fp32:.2%})"
    return f"{one.mode}: agrees {one.agreement:.2%}{both} on {one.rows:,} x {one.images}"
