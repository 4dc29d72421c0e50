"""The content of `model.json`: the framework-independent description of one model.

This module imports only the errors, the field reader and the parts of the manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sightline.bundle.calibration import Calibration, read_calibrations
from sightline.bundle.fields import Fields
from sightline.bundle.format1 import read_format1_signature
from sightline.bundle.signature import Classes, Output, Signature, read_signature

FORMAT = 2
READ_FORMATS = (1, 2)
MANIFEST_FILE = "model.json"
_LARGEST_TOLERANCE = 655.0  # a hundredth of the largest float16 number
_MOST_ROWS = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_ARCHITECTURE = re.compile(r"(torchvision|timm):[A-Za-z0-9_.]+|[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_LAYER = re.compile(r"\w+(\.\w+)*")
_BUILT_IN = ("onnx", "onnx_int8", "pytorch")


@dataclass(frozen=True)
class OnnxVariant:
    """A graph from the inputs to the outputs, with their names. It contains all weights."""

    file: str
    opset: int


@dataclass(frozen=True)
class PytorchVariant:
    """Weights, and the name of the architecture that they belong to.

    The network takes the inputs in the order of the signature and returns the outputs in that
    order. A network without `head` and with a classes output returns only that output. `head` is
    the dotted name of the layer that computes the scores from the features, if it is known.
    """

    file: str
    architecture: str
    arguments: Mapping[str, object]
    head: str = ""


@dataclass(frozen=True)
class Golden:
    """Input rows, the source's outputs for them, and the largest |difference| of each variant.

    The difference of an output without a classes head is divided by the largest expected number if
    that is above 1. `tolerance` is the largest difference of scores that counts as rounding: 0.001,
    or more for large scores and for float16. `models verify` allows at most a hundredth of the
    largest score.
    """

    file: str
    rows: int
    tolerance: float
    max_abs_delta: Mapping[str, float]


@dataclass(frozen=True)
class Accuracy:
    """A measured top-1 accuracy, in 0..1, on `rows` images."""

    dataset: str
    rows: int
    top1: float


@dataclass(frozen=True)
class Manifest:
    """The content of `model.json`. `files` maps each file's name to its sha256 in hex.

    `onnx_int8` is a quantised version of `onnx`. `calibration` contains the measured agreement of
    it and of other modes with fp32. `other_variants` are the variants of backends that are not
    built in: an object by name, with a `file` and other fields that the backend reads. `most_rows`
    is the largest batch that the model can run; None if any size works. `batch_rows` is the batch
    size with the least CPU time for a row, by the name of a backend that was measured.
    """

    name: str
    description: str
    signature: Signature
    onnx: OnnxVariant | None
    pytorch: PytorchVariant | None
    parameters: int
    golden: Golden
    files: Mapping[str, str]
    licence: str
    source: str
    created_by: str
    accuracy: tuple[Accuracy, ...] = field(default=())
    onnx_int8: OnnxVariant | None = None
    calibration: tuple[Calibration, ...] = ()
    other_variants: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    most_rows: int | None = None
    batch_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that compute the source's numbers, without reduced precision."""
        both = (("onnx", self.onnx), ("pytorch", self.pytorch))
        built_in = (name for name, variant in both if variant is not None)
        return (*built_in, *self.other_variants)

    def outputs_of(self, variant: str) -> tuple[Output, ...]:
        """Return the outputs of a variant, in the order in which its network returns them."""
        classes, vector = self.signature.classes, self.signature.vector
        if variant != "pytorch" or classes is None:
            return self.signature.outputs
        has_vector = vector is not None and self.pytorch is not None and self.pytorch.head
        return (classes, vector) if vector is not None and has_vector else (classes,)

    def calibration_of(self, backend: str, precision: str) -> Calibration | None:
        """Return the measurement of exactly this mode; None if it was not measured."""
        wanted = f"{backend} {precision}"
        return next((one for one in self.calibration if one.mode == wanted), None)

    def to_json(self) -> bytes:
        """Return the canonical text of format 2: sorted keys, two spaces, a final newline."""
        tree = asdict(self)
        variants = {name: tree.pop(name) for name in _BUILT_IN}
        variants |= tree.pop("other_variants")
        del tree["signature"]
        for optional in ("batch_rows", "calibration", "most_rows"):
            if not tree[optional]:
                del tree[optional]
        tree.update(
            format=FORMAT,
            inputs=[one.to_tree() for one in self.signature.inputs],
            outputs=[one.to_tree() for one in self.signature.outputs],
            variants={name: one for name, one in variants.items() if one is not None},
        )
        if self.pytorch and not self.pytorch.head:
            del variants["pytorch"]["head"]
        text = json.dumps(tree, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode()

    @staticmethod
    def from_json(text: bytes, where: str = MANIFEST_FILE) -> Manifest:
        """Read and check a manifest of format 1 or 2.

        Args:
            text: The bytes of `model.json`.
            where: Path of the file, for messages.

        Raises:
            WrongUseError: INVALID_BUNDLE, naming the first field that is wrong.
        """
        try:
            tree: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            Fields({}, where).fail(None, f"is not JSON: {error}")
        top = Fields(tree, where)
        format_ = top.integer("format", 0, 1_000_000)
        if format_ not in READ_FORMATS:
            known = " and ".join(map(str, READ_FORMATS))
            top.fail("format", f"is {format_}, but this Sightline reads only {known}")
        variants = top.child("variants")
        manifest = Manifest(
            name=_name(top),
            description=top.text("description"),
            signature=read_format1_signature(top) if format_ == 1 else read_signature(top),
            onnx=_onnx(variants.child("onnx")) if variants.has("onnx") else None,
            pytorch=_pytorch(variants.child("pytorch")) if variants.has("pytorch") else None,
            parameters=top.integer("parameters", 0, 10**15),
            golden=_golden(top.child("golden")),
            files=_files(top.child("files")),
            licence=top.text("licence"),
            source=top.text("source"),
            created_by=top.text("created_by"),
            accuracy=tuple(_accuracy(item) for item in top.children("accuracy"))
            if top.has("accuracy")
            else (),
            onnx_int8=_onnx(variants.child("onnx_int8")) if variants.has("onnx_int8") else None,
            calibration=read_calibrations(top.children("calibration"))
            if top.has("calibration")
            else (),
            other_variants={
                name: variants.child(name).values
                for name in variants.values
                if format_ > 1 and name not in _BUILT_IN
            },
            most_rows=top.integer("most_rows", 1, _MOST_ROWS)
            if format_ > 1 and top.has("most_rows")
            else None,
            batch_rows=_batch_rows(top.child("batch_rows"))
            if format_ > 1 and top.has("batch_rows")
            else {},
        )
        _check(manifest, top, variants)
        return manifest


def is_model_name(name: str) -> bool:
    """Whether it is 1 to 100 letters, digits, '_', '-' and '.', so that a folder can have it."""
    return _NAME.fullmatch(name) is not None


def _name(top: Fields) -> str:
    name = top.text("name")
    if not is_model_name(name):
        top.fail("name", f"must be letters, digits, '_', '-' and '.', found '{name}'")
    return name


def _onnx(item: Fields) -> OnnxVariant:
    return OnnxVariant(item.file("file"), item.integer("opset", 1, 1000))


def _pytorch(item: Fields) -> PytorchVariant:
    architecture = item.text("architecture")
    if not _ARCHITECTURE.fullmatch(architecture):
        item.fail("architecture", "must be torchvision:NAME, timm:NAME or package.module:function")
    arguments = item.child("arguments").values if item.has("arguments") else {}
    head = item.text("head") if item.has("head") else ""
    if head and not _LAYER.fullmatch(head):
        item.fail("head", f"must be the dotted name of a layer, found '{head}'")
    return PytorchVariant(item.file("file"), architecture, arguments, head)


def _golden(item: Fields) -> Golden:
    deltas = item.child("max_abs_delta")
    tolerance = item.number("tolerance")
    if not 0 < tolerance <= _LARGEST_TOLERANCE:
        item.fail("tolerance", f"must be above 0 and at most {_LARGEST_TOLERANCE:g}")
    return Golden(
        item.file("file"),
        item.integer("rows", 1, 10_000),
        tolerance,
        {name: deltas.number(name) for name in deltas.values},
    )


def _batch_rows(item: Fields) -> dict[str, int]:
    return {backend: item.integer(backend, 1, _MOST_ROWS) for backend in item.values}


def _files(item: Fields) -> dict[str, str]:
    for name in item.values:
        if not _SHA256.fullmatch(item.text(name)):
            item.fail(name, "must be a sha256 of 64 hexadecimal digits")
    return {name: item.text(name) for name in item.values}


def _accuracy(item: Fields) -> Accuracy:
    return Accuracy(item.text("dataset"), item.integer("rows", 1, 10**12), item.number("top1"))


def _check(manifest: Manifest, top: Fields, variants: Fields) -> None:
    """Check that the parts of the manifest agree with each other."""
    signature = manifest.signature
    if not manifest.variants:
        top.fail("variants", "must contain onnx or pytorch")
    if manifest.onnx_int8 and not manifest.onnx:
        top.fail("variants", "must contain onnx beside onnx_int8, which is made from it")
    modes = [one.mode for one in manifest.calibration]
    if len(set(modes)) < len(modes):
        top.fail("calibration", "must have one entry for each backend and precision")
    named = [one.head.labels for one in signature.outputs if isinstance(one.head, Classes)]
    named.append(manifest.golden.file)
    built_in = (manifest.onnx, manifest.onnx_int8, manifest.pytorch)
    named += [variant.file for variant in built_in if variant]
    named += [variants.child(name).file("file") for name in manifest.other_variants]
    for name in named:
        if name not in manifest.files:
            top.fail(f"files.{name}", "is missing: every file of a bundle has its sha256 there")
    if manifest.pytorch and manifest.pytorch.head and signature.vector is None:
        top.fail("outputs", "must contain features, which are the input of variants.pytorch.head")
    if manifest.pytorch and manifest.pytorch.head and signature.classes is None:
        top.fail("outputs", "must contain the classes that variants.pytorch.head computes")
