"""What `model.json` says: the framework-independent description of one model.

The manifest is a leaf: it imports nothing of Sightline but its errors and its field reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sightline.bundle.calibration import Calibration, read_calibration
from sightline.bundle.fields import Fields

FORMAT = 1
MANIFEST_FILE = "model.json"
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
_LARGEST_SIDE = 16_384
_LONGEST_AXIS = 1_000_000_000
_LARGEST_TOLERANCE = 655.0  # a hundredth of the largest float16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_ARCHITECTURE = re.compile(r"(torchvision|timm):[A-Za-z0-9_.]+|[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_HEAD = re.compile(r"\w+(\.\w+)*")


@dataclass(frozen=True)
class Tensor:
    """One input or output; an axis is a length or the name of a free axis ("n").

    `role` is empty for an input; for an output "scores" (one number per class), "features"
    (n, length) or "tensor" (anything else).
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    role: str = ""


@dataclass(frozen=True)
class Size:
    """Pixels, height first."""

    height: int
    width: int


@dataclass(frozen=True)
class Resize:
    """`shortest_edge`: keep the aspect ratio (height = width = that edge); `stretch`: exact."""

    mode: str
    height: int
    width: int
    interpolation: str


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to the model's input; mean and std, in 0..1, are inside the graph."""

    color: str
    resize: Resize
    crop: Size | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def size(self) -> Size:
        """The model's input size: that of the centre crop, else that of the stretch."""
        return self.crop or Size(self.resize.height, self.resize.width)

    @property
    def least_decoded(self) -> Size:
        """What a decoder that shrinks must keep; square, since an image may lie on its side."""
        edge = max(self.resize.height, self.resize.width)
        return Size(edge, edge)

    @property
    def scale_and_bias(self) -> tuple[list[float], list[float]]:
        """Per channel: (x / 255 - mean) / std = x * scale + bias, for x in 0..255."""
        pairs = list(zip(self.mean, self.std, strict=True))
        return [1 / (255 * std) for _, std in pairs], [-mean / std for mean, std in pairs]


@dataclass(frozen=True)
class OnnxVariant:
    """A graph from uint8 (n, height, width, 3) to the outputs, all weights inside."""

    file: str
    opset: int


@dataclass(frozen=True)
class PytorchVariant:
    """Weights, and the name of the code that they belong to.

    `head` is the dotted name of the layer that makes the scores from the features; empty where
    the variant gives scores alone.
    """

    file: str
    architecture: str
    arguments: Mapping[str, object]
    head: str = ""


@dataclass(frozen=True)
class Golden:
    """Images and the source variant's outputs; the largest |difference| seen per variant.

    A difference of features counts in units of the largest feature, where that is above 1.
    `tolerance` is the largest difference of scores that counts as rounding: 0.001, or more for
    large scores and for float16. `models verify` allows at most a hundredth of the largest score.
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
    """All of `model.json`. `files` maps each file's name to its sha256 in hex.

    `onnx_int8` is a quantised twin of `onnx`; `calibration` says how well it and others agree.
    """

    name: str
    description: str
    task: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    activation: str
    labels: str
    classes: int
    preprocessing: Preprocessing
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

    @property
    def variants(self) -> tuple[str, ...]:
        """The forms of the model that give the source's own numbers."""
        both = (("onnx", self.onnx), ("pytorch", self.pytorch))
        return tuple(name for name, variant in both if variant is not None)

    @property
    def scores(self) -> Tensor:
        """The output with one number per class, (n, classes) float32."""
        return next(output for output in self.outputs if output.role == "scores")

    @property
    def features(self) -> Tensor | None:
        """The first output of one vector an image, (n, length) float32, if there is one."""
        return next((output for output in self.outputs if output.role == "features"), None)

    def calibration_of(self, backend: str, precision: str, decoder: str) -> Calibration | None:
        """What was measured of exactly this way to run the model; None if nothing was."""
        wanted = (backend, precision, decoder)
        found = (one for one in self.calibration if wanted == _mode(one))
        return next(found, None)

    def to_json(self) -> bytes:
        """Canonical text: sorted keys, two spaces, a final newline. Its sha256 is the identity."""
        tree = asdict(self)
        names = ("onnx", "onnx_int8", "pytorch")
        variants = {name: tree[name] for name in names if tree[name] is not None}
        for name in names:
            del tree[name]
        # The identity of a bundle without these is what it always was.
        if not tree["calibration"]:
            del tree["calibration"]
        if "pytorch" in variants and not variants["pytorch"]["head"]:
            del variants["pytorch"]["head"]
        for tensor in tree["inputs"]:
            del tensor["role"]
        tree.update(format=FORMAT, variants=variants)
        text = json.dumps(tree, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode()

    @staticmethod
    def from_json(text: bytes, where: str = MANIFEST_FILE) -> Manifest:
        """Read and check a manifest.

        Args:
            text: The bytes of `model.json`.
            where: Its path, for messages.

        Raises:
            WrongUseError: INVALID_BUNDLE, naming the first field that is wrong.
        """
        try:
            tree: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            Fields({}, where).fail(None, f"is not JSON: {error}")
        top = Fields(tree, where)
        if top.integer("format", 0, 1_000_000) != FORMAT:
            top.fail("format", f"is {top.raw('format')}, but this Sightline reads only {FORMAT}")
        variants = top.child("variants")
        manifest = Manifest(
            name=_name(top),
            description=top.text("description"),
            task=top.text("task", ("classification",)),
            inputs=tuple(_tensor(item) for item in top.children("inputs")),
            outputs=tuple(_output(item) for item in top.children("outputs")),
            activation=top.text("activation", ("softmax", "sigmoid", "none")),
            labels=top.file("labels"),
            classes=top.integer("classes", 1, 10_000_000),
            preprocessing=_preprocessing(top.child("preprocessing")),
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
            calibration=tuple(read_calibration(item) for item in top.children("calibration"))
            if top.has("calibration")
            else (),
        )
        _check(manifest, top)
        return manifest


def is_model_name(name: str) -> bool:
    """Whether it is 1 to 100 letters, digits, '_', '-' and '.', and so a safe folder name."""
    return _NAME.fullmatch(name) is not None


def _mode(one: Calibration) -> tuple[str, str, str]:
    return one.backend, one.precision, one.decoder


def _name(top: Fields) -> str:
    name = top.text("name")
    if not is_model_name(name):
        top.fail("name", f"must be letters, digits, '_', '-' and '.', found '{name}'")
    return name


def _tensor(item: Fields) -> Tensor:
    name, dtype = item.text("name"), item.text("dtype", ("uint8", "float32"))
    shape: list[int | str] = []
    for at, axis in enumerate(item.items("shape")):
        if isinstance(axis, bool) or not isinstance(axis, int | str):
            item.fail(f"shape[{at}]", "must be a length or the name of a free axis")
        if isinstance(axis, int) and not 1 <= axis <= _LONGEST_AXIS:
            item.fail(f"shape[{at}]", f"must be a length from 1 to {_LONGEST_AXIS}")
        shape.append(axis)
    return Tensor(name, dtype, tuple(shape))


def _output(item: Fields) -> Tensor:
    tensor = _tensor(item)
    role = item.text("role", ("scores", "features", "tensor"))
    return Tensor(tensor.name, tensor.dtype, tensor.shape, role)


def _size(item: Fields) -> Size:
    return Size(item.integer("height", 1, _LARGEST_SIDE), item.integer("width", 1, _LARGEST_SIDE))


def _preprocessing(item: Fields) -> Preprocessing:
    resize = item.child("resize")
    size = _size(resize)
    mode = resize.text("mode", ("shortest_edge", "stretch"))
    if mode == "shortest_edge" and size.height != size.width:
        resize.fail("width", f"must equal height ({size.height}) where mode is shortest_edge")
    mean, std = item.numbers("mean", 3), item.numbers("std", 3)
    if min(std) <= 0:
        item.fail("std", "must be above 0")
    crop = _size(item.child("crop")) if item.has("crop") else None
    if crop is None and mode == "shortest_edge":
        item.fail("crop", "must be given where the resize keeps the aspect ratio")
    return Preprocessing(
        color=item.text("color", ("RGB",)),
        resize=Resize(mode, size.height, size.width, resize.text("interpolation", INTERPOLATIONS)),
        crop=crop,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )


def _onnx(item: Fields) -> OnnxVariant:
    return OnnxVariant(item.file("file"), item.integer("opset", 1, 1000))


def _pytorch(item: Fields) -> PytorchVariant:
    architecture = item.text("architecture")
    if not _ARCHITECTURE.fullmatch(architecture):
        item.fail("architecture", "must be torchvision:NAME, timm:NAME or package.module:function")
    arguments = item.child("arguments").values if item.has("arguments") else {}
    head = item.text("head") if item.has("head") else ""
    if head and not _HEAD.fullmatch(head):
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


def _files(item: Fields) -> dict[str, str]:
    for name in item.values:
        if not _SHA256.fullmatch(item.text(name)):
            item.fail(name, "must be a sha256 of 64 hexadecimal digits")
    return {name: item.text(name) for name in item.values}


def _accuracy(item: Fields) -> Accuracy:
    return Accuracy(item.text("dataset"), item.integer("rows", 1, 10**12), item.number("top1"))


def _check(manifest: Manifest, top: Fields) -> None:
    """Hold the parts against each other."""
    if not manifest.variants:
        top.fail("variants", "must hold onnx or pytorch")
    if manifest.onnx_int8 and not manifest.onnx:
        top.fail("variants", "must hold onnx beside onnx_int8, which is made from it")
    modes = [_mode(one) for one in manifest.calibration]
    if len(set(modes)) < len(modes):
        top.fail("calibration", "must have one entry for each backend, precision and decoder")
    named = [manifest.labels, manifest.golden.file]
    variants = (manifest.onnx, manifest.onnx_int8, manifest.pytorch)
    named += [variant.file for variant in variants if variant]
    for name in named:
        if name not in manifest.files:
            top.fail(f"files.{name}", "is missing: every file of a bundle has its sha256 there")
    size = manifest.preprocessing.size
    wanted = ("uint8", ("n", size.height, size.width, 3))
    if [(one.dtype, one.shape) for one in manifest.inputs] != [wanted]:
        top.fail("inputs", f"must be one uint8 tensor of shape [n, {size.height}, {size.width}, 3]")
    scores = [output for output in manifest.outputs if output.role == "scores"]
    if [(one.dtype, one.shape) for one in scores] != [("float32", ("n", manifest.classes))]:
        top.fail("outputs", f"must hold one float32 tensor of scores [n, {manifest.classes}]")
    for output in manifest.outputs:
        vector = len(output.shape) == 2 and isinstance(output.shape[1], int)
        if output.role == "features" and not (vector and output.shape[0] == "n"):
            top.fail("outputs", f"must hold features of shape [n, length]: {output.name}")
    if len({output.name for output in manifest.outputs}) < len(manifest.outputs):
        top.fail("outputs", "must have different names")
    if manifest.pytorch and manifest.pytorch.head and manifest.features is None:
        top.fail("outputs", "must hold features, since variants.pytorch.head says what gives them")
