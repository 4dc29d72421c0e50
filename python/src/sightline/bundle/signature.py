"""The signature of a model: its input tensors with feeds, and its output tensors with heads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod

from sightline.bundle.fields import Fields
from sightline.bundle.image_settings import Preprocessing, read_preprocessing
from sightline.bundle.tensor_spec import TensorSpec, read_tensor
from sightline.errors import WrongUseError

ACTIVATIONS = ("softmax", "sigmoid", "none")
IMAGE, TENSOR, CLASSES, VECTOR = "image", "tensor", "classes", "vector"
FLOATS = ("float32", "float16", "float64")
"""The dtypes of outputs with a classes or vector head."""
_MOST_CLASSES = 10_000_000
_MOST_ELEMENTS = 1 << 31
_AXIS_NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
_KIND = re.compile(r"[A-Za-z_][\w.\-]*")


@dataclass(frozen=True)
class Kind:
    """A feed or head without built-in settings, such as `tensor` or `vector`.

    Attributes:
        name: Name of the kind.
        settings: The other fields of the object. Only kinds of other packages have settings, and
            these packages check them.
    """

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Classes:
    """The settings of a classes head.

    Attributes:
        labels: Name of the file with the label of each class, one per line.
        activation: softmax, sigmoid, or none if the output contains probabilities.
    """

    labels: str
    activation: str


@dataclass(frozen=True)
class Input:
    """An input tensor and the feed that fills it; `Preprocessing` is the image feed."""

    tensor: TensorSpec
    feed: Preprocessing | Kind

    @property
    def kind(self) -> str:
        """Name of the feed's kind."""
        return self.feed.name if isinstance(self.feed, Kind) else IMAGE

    def to_tree(self) -> dict[str, object]:
        """The object in `inputs` of model.json."""
        settings = self.feed.settings if isinstance(self.feed, Kind) else asdict(self.feed)
        return {**asdict(self.tensor), "feed": {"kind": self.kind, **settings}}


@dataclass(frozen=True)
class Output:
    """An output tensor and the head that makes its result columns."""

    tensor: TensorSpec
    head: Classes | Kind

    @property
    def name(self) -> str:
        """Name of the tensor."""
        return self.tensor.name

    @property
    def kind(self) -> str:
        """Name of the head's kind."""
        return self.head.name if isinstance(self.head, Kind) else CLASSES

    def to_tree(self) -> dict[str, object]:
        """The object in `outputs` of model.json."""
        settings = self.head.settings if isinstance(self.head, Kind) else asdict(self.head)
        return {**asdict(self.tensor), "head": {"kind": self.kind, **settings}}


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs of a model, at least one of each."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    @property
    def classes(self) -> Output | None:
        """The first output with a classes head; None without one."""
        return next((one for one in self.outputs if isinstance(one.head, Classes)), None)

    @property
    def vector(self) -> Output | None:
        """The first output with a vector head, which contains the features; None without one."""
        return next((one for one in self.outputs if one.kind == VECTOR), None)

    @property
    def image(self) -> Preprocessing | None:
        """The settings of the image feed; None unless the model's only input is an image."""
        feeds = [one.feed for one in self.inputs]
        return feeds[0] if len(feeds) == 1 and isinstance(feeds[0], Preprocessing) else None

    @property
    def class_outputs(self) -> tuple[Output, ...]:
        """All outputs with a classes head."""
        return tuple(one for one in self.outputs if isinstance(one.head, Classes))

    def require_image(self, model: str) -> Preprocessing:
        """Return `image`.

        Args:
            model: The model's name, for the message.

        Raises:
            WrongUseError: NO_IMAGE_INPUT.
        """
        if self.image is None:
            raise WrongUseError(
                "NO_IMAGE_INPUT",
                f"model {model} does not take one image per row; its inputs are "
                f"{_listed(self.inputs)}.",
            )
        return self.image

    def require_classes(self, model: str) -> Output:
        """Return `classes`.

        Args:
            model: The model's name, for the message.

        Raises:
            WrongUseError: NO_CLASSES.
        """
        if self.classes is None:
            raise WrongUseError(
                "NO_CLASSES",
                f"model {model} has no output of class scores; its outputs are "
                f"{_listed(self.outputs)}.",
            )
        return self.classes

    def require_vector(self, model: str, name: str | None = None) -> Output:
        """Return an output with a vector head.

        Args:
            model: The model's name, for the message.
            name: Name of the output; None for the first with a vector head.

        Raises:
            WrongUseError: NO_FEATURES without such an output; UNKNOWN_OUTPUT if the named output
                is not one of them.
        """
        vectors = {one.name: one for one in self.outputs if one.kind == VECTOR}
        if not vectors:
            outputs = ", ".join(one.name for one in self.outputs)
            raise WrongUseError(
                "NO_FEATURES",
                f"model {model} has no output of features, only {outputs}. "
                "`sightline models add` finds them if the network ends in a linear layer.",
            )
        if name is None:
            return next(iter(vectors.values()))
        if name not in vectors:
            raise WrongUseError(
                "UNKNOWN_OUTPUT",
                f"'{name}' is no output of features of model {model}. Known: {', '.join(vectors)}.",
            )
        return vectors[name]


def _listed(tensors: Sequence[Input | Output]) -> str:
    return ", ".join(f"{one.tensor.name} ({one.kind})" for one in tensors)


def read_signature(top: Fields) -> Signature:
    """Read and check `inputs` and `outputs` of a manifest of format 2.

    Raises:
        WrongUseError: INVALID_BUNDLE, naming the first field that is wrong.
    """
    inputs, outputs = top.children("inputs"), top.children("outputs")
    signature = Signature(tuple(map(_input, inputs)), tuple(map(_output, outputs)))
    check_names(signature, top)
    # The names become columns of a result. It has a column `error`, and case does not count.
    for key, names in (
        ("inputs", [one.tensor.name for one in signature.inputs]),
        ("outputs", [*(one.name for one in signature.outputs), "error"]),
    ):
        if len({name.lower() for name in names}) < len(names):
            top.fail(key, "must have names that differ by more than case, and none named error")
    _check_axes(signature, top)
    return signature


def check_names(signature: Signature, top: Fields) -> None:
    """Raise an error if there is no input or no output, or if two have the same name.

    Raises:
        WrongUseError: INVALID_BUNDLE.
    """
    for key, names in (
        ("inputs", [one.tensor.name for one in signature.inputs]),
        ("outputs", [one.name for one in signature.outputs]),
    ):
        if not names:
            top.fail(key, "must contain at least one tensor")
        if len(set(names)) < len(names):
            top.fail(key, "must have different names")


def _check_axes(signature: Signature, top: Fields) -> None:
    """Raise an error if a free axis of a row has the name of a batch axis of another tensor."""
    tensors = [one.tensor for one in signature.inputs]
    tensors += [one.tensor for one in signature.outputs]
    batch_axes = {one.shape[0] for one in tensors}
    places = [f"inputs[{at}]" for at in range(len(signature.inputs))]
    places += [f"outputs[{at}]" for at in range(len(signature.outputs))]
    for place, tensor in zip(places, tensors, strict=True):
        for axis in batch_axes.intersection(tensor.free_axes):
            problem = f"must not use the name of the batch axis '{axis}' for another"
            top.fail(f"{place}.shape", problem)


def _rows(item: Fields) -> TensorSpec:
    """Read a tensor that begins with the batch axis and whose fixed axes fit into memory."""
    tensor = read_tensor(item)
    if not tensor.shape or not isinstance(tensor.shape[0], str):
        item.fail("shape", 'must begin with the batch axis, "n"')
    for at, axis in enumerate(tensor.row_axes, 1):
        if isinstance(axis, str) and not _AXIS_NAME.fullmatch(axis):
            item.fail(f"shape[{at}]", f"must be a name of letters, digits and '_', found '{axis}'")
    if tensor.shape[0] in tensor.free_axes:
        item.fail("shape", f"must name the batch axis '{tensor.shape[0]}' only once")
    if prod(axis for axis in tensor.row_axes if isinstance(axis, int)) > _MOST_ELEMENTS:
        item.fail("shape", f"must have at most {_MOST_ELEMENTS} elements per row")
    return tensor


def _input(item: Fields) -> Input:
    tensor, feed = _rows(item), item.child("feed")
    if _kind(feed) != IMAGE:
        return Input(tensor, _settings(feed, (TENSOR,)))
    preprocessing = read_preprocessing(feed)
    size = preprocessing.size
    if (tensor.dtype, tensor.row_axes) != ("uint8", (size.height, size.width, 3)):
        item.fail("shape", f"must be uint8 [n, {size.height}, {size.width}, 3] for this image feed")
    return Input(tensor, preprocessing)


def _output(item: Fields) -> Output:
    tensor, head = _rows(item), item.child("head")
    kind = _kind(head)
    if kind in (CLASSES, VECTOR):
        is_row_of_numbers = len(tensor.row_axes) == 1 and not tensor.free_axes
        if tensor.dtype not in FLOATS or not is_row_of_numbers:
            wanted = " or ".join(FLOATS)
            item.fail("shape", f"must be {wanted} [n, length] for a {kind} head, found {tensor}")
    if kind != CLASSES:
        return Output(tensor, _settings(head, (TENSOR, VECTOR)))
    if tensor.row_shape[0] > _MOST_CLASSES:
        item.fail("shape[1]", f"must be a length from 1 to {_MOST_CLASSES}")
    return Output(tensor, Classes(head.file("labels"), head.text("activation", ACTIVATIONS)))


def _kind(item: Fields) -> str:
    kind = item.text("kind")
    if not _KIND.fullmatch(kind):
        item.fail("kind", f"must be letters, digits, '_', '-' and '.', found '{kind}'")
    return kind


def _settings(item: Fields, plain: tuple[str, ...]) -> Kind:
    """Read a kind. For built-in kinds (`plain`) unknown fields are ignored."""
    kind = _kind(item)
    settings = {} if kind in plain else {k: v for k, v in item.values.items() if k != "kind"}
    return Kind(kind, settings)
