"""Small networks, exported to ONNX in the usual ways."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper

SIDE = 32
LABELS = ("cat", "dog", "fish")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Probabilities = Callable[[dict[str, np.ndarray]], np.ndarray]


class Network(torch.nn.Module):
    """A convolution, a pooling and a linear layer; `ending` is applied to its scores."""

    def __init__(
        self, ending: Callable[[torch.Tensor], Any] = lambda scores: scores, classes: int = 3
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(12)
        self.convolution = torch.nn.Conv2d(3, 8, 5, stride=3)
        self.linear = torch.nn.Linear(8, classes)
        self.ending = ending
        with torch.no_grad():
            for one in self.parameters():
                one.copy_(torch.randn(one.shape, generator=generator) * 0.2)
            colours = torch.randn(64, 3, 1, 1, generator=generator).expand(-1, -1, 8, 8)
            scores = self.scores(colours)
            self.linear.weight.mul_(2 / scores.std(0)[:, None])  # about -2 to 2 for each class
            self.linear.bias.sub_(self.scores(colours).mean(0))

    def forward(self, images: torch.Tensor) -> Any:  # noqa: ANN401 - one tensor, or several
        return self.ending(self.scores(images))

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, classes)."""
        maps = torch.relu(self.convolution(images))
        pooled = torch.nn.functional.adaptive_avg_pool2d(maps, 1)  # (n, 8, 1, 1)
        found: torch.Tensor = self.linear(pooled.reshape(pooled.shape[0], -1))
        return found


@dataclass(frozen=True)
class Export:
    """A kind of ONNX export.

    Attributes:
        write: Makes the file.
        probabilities: What an image's scores should be, from the file's own outputs.
        options: For `models add`, beside the file and the size.
        labels: One per class.
        dtype: Of the file's input.
        layout: Where its colours are.
        normalised: Whether the file expects (x / 255 - mean) / std.
        close: How near the probabilities must be.
    """

    write: Callable[[Path], None]
    probabilities: Probabilities
    options: Sequence[str] = ()
    labels: Sequence[str] = LABELS
    dtype: str = "float32"
    layout: str = "NCHW"
    normalised: bool = True
    side: int = SIDE
    close: float = 1e-4

    def by_hand(self, path: Path, pixels: np.ndarray) -> np.ndarray:
        """(n, height, width, 3) uint8 → (n, classes), image by image with onnxruntime alone."""
        session = ort.InferenceSession(str(path))
        values = pixels.astype(np.float64)
        if self.normalised:
            values = (values / 255 - MEAN) / STD
        if self.layout == "NCHW":
            values = values.transpose(0, 3, 1, 2)
        name = session.get_inputs()[0].name
        names = [one.name for one in session.get_outputs()]
        fed = {"training": np.zeros((), np.bool_)} if len(session.get_inputs()) > 1 else {}
        rows = [session.run(None, {name: one[None].astype(self.dtype)} | fed) for one in values]
        outputs = {name: np.concatenate([row[at] for row in rows]) for at, name in enumerate(names)}
        return self.probabilities(outputs)


def export(
    network: torch.nn.Module,
    path: Path,
    *,
    side: int = SIDE,
    **options: Any,  # noqa: ANN401
) -> None:
    """`torch.onnx.export` with one image, as in its documentation."""
    dtype = next(network.parameters()).dtype
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.rand(1, 3, side, side).to(dtype),),
            path,
            verbose=False,
            **options,
        )


LEGACY: dict[str, Any] = {"dynamo": False, "input_names": ["x"], "output_names": ["y"]}
FREE: dict[str, Any] = {"dynamo": False, "input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}


def softmax(outputs: dict[str, np.ndarray], name: str = "") -> np.ndarray:
    """The softmax of the given output, or of the first, as (n, classes)."""
    scores = outputs[name] if name else next(iter(outputs.values()))
    rows = scores.reshape(len(scores), -1).astype(np.float64)
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found


def sigmoid(outputs: dict[str, np.ndarray]) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-as_they_are(outputs)))
    return found


def as_they_are(outputs: dict[str, np.ndarray]) -> np.ndarray:
    scores = next(iter(outputs.values()))
    found: np.ndarray = scores.reshape(len(scores), -1).astype(np.float64)
    return found


def of_two(positive: np.ndarray) -> np.ndarray:
    """The probabilities of two classes from that of the second, (n, 1)."""
    return np.concatenate([1 - positive, positive], axis=1)


def shuffled(path: Path) -> None:
    """A file with its nodes in reverse order and without shapes of input and output."""
    export(Network(), path, **FREE)
    model = onnx.load(path)
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.ClearField("shape")
    path.write_bytes(model.SerializeToString())


def pixels_inside(path: Path) -> None:
    """A file with the input uint8 (n, height, width, 3) that normalises in the graph."""

    class Inside(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = Network()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.network(images.permute(0, 3, 1, 2).float() / 64 - 2)
            return found

    example = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Inside().eval(), (example,), path, verbose=False, **FREE)


def with_unused_input(path: Path) -> None:
    """A file with a second, unused input."""
    export(Network(), path, **FREE)
    model = onnx.load(path)
    flag = helper.make_tensor_value_info("training", TensorProto.BOOL, [])
    model.graph.input.append(flag)
    path.write_bytes(model.SerializeToString())


def three_outputs(scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A file with outputs of class numbers, two different outputs of scores, and a vector."""
    return (
        scores.argmax(1),
        scores.flip(1),
        scores,
        torch.cat([scores, scores], 1)[:, :, None, None],
    )


def vision_transformer(path: Path) -> None:
    import timm

    torch.manual_seed(3)
    network = timm.create_model("test_vit", num_classes=3, img_size=SIDE)
    torch.nn.init.normal_(network.get_parameter("head.weight"), std=0.5)
    export(network, path)


TWO = ("bad", "good")
EXPORTS: dict[str, Export] = {
    "torch, any batch": Export(
        lambda path: export(Network(), path, dynamic_shapes=({0: torch.export.Dim("n")},)), softmax
    ),
    "torch's default: one image, weights in a file beside it": Export(
        lambda path: export(Network(), path), softmax
    ),
    "torch's default, of a vision transformer": Export(vision_transformer, softmax),
    "the older exporter, any batch": Export(lambda path: export(Network(), path, **FREE), softmax),
    "the older exporter, one image": Export(
        lambda path: export(Network(), path, **LEGACY), softmax
    ),
    "float16 with large scores": Export(
        lambda path: export(Network(lambda scores: scores * 8).half(), path, **FREE),
        softmax,
        dtype="float16",
        close=0.05,
    ),
    "softmax inside": Export(
        lambda path: export(Network(lambda scores: scores.softmax(1)), path, **FREE), as_they_are
    ),
    "one probability an image": Export(
        lambda path: export(Network(torch.sigmoid, 1), path, **FREE),
        lambda outputs: of_two(as_they_are(outputs)),
        ("--activation", "none"),
        TWO,
    ),
    "one logit an image": Export(
        lambda path: export(Network(lambda scores: scores[:, 0], 1), path, **FREE),
        lambda outputs: of_two(sigmoid(outputs)),
        ("--activation", "sigmoid"),
        TWO,
    ),
    "several labels an image, probabilities": Export(
        lambda path: export(Network(torch.sigmoid), path, **FREE),
        as_they_are,
        ("--activation", "none"),
    ),
    "several labels an image, logits": Export(
        lambda path: export(Network(), path, **FREE), sigmoid, ("--activation", "sigmoid")
    ),
    "scores of shape (n, classes, 1, 1)": Export(
        lambda path: export(Network(lambda scores: scores[:, :, None, None]), path, **FREE), softmax
    ),
    "scores of shape (n, 1, classes)": Export(
        lambda path: export(Network(lambda scores: scores[:, None]), path, **FREE), softmax
    ),
    "several outputs": Export(
        lambda path: export(
            Network(three_outputs), path, **FREE, output_names=["number", "back", "mine", "vector"]
        ),
        lambda outputs: softmax(outputs, "mine"),
        ("--scores-output", "mine"),
    ),
    "uint8 pixels, colours last": Export(
        pixels_inside, softmax, dtype="uint8", layout="NHWC", normalised=False
    ),
    "nodes in reverse, no shapes": Export(shuffled, softmax),
    "an input that nothing reads": Export(with_unused_input, softmax),
}
