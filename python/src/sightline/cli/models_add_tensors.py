"""The options of `models add` for models of any tensors, and of other frameworks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.image_options import read_preprocessing
from sightline.bundle.labels import read_labels
from sightline.bundle.manifest import Accuracy
from sightline.cli.options import PATH, add_options
from sightline.errors import WrongUseError
from sightline.require_package import require_package
from sightline.wrong_option import invalid_option

if TYPE_CHECKING:
    from sightline.bundle.converted_model import ConvertedModel
    from sightline.bundle.tensor_request import TensorRequest

_KINDS = ("torch_export", "keras", "saved_model", "sklearn")
_CHOICES = ("inputs", "heads", "outputs", "ranges", "examples")
_IMAGE_OPTIONS = ("resize", "resize_mode", "crop", "interpolation", "mean", "std")
_HEADS = ("classes", "vector", "tensor")

source_options = add_options(
    click.option("--torch-export", type=PATH, help="Program of torch.export.save, a .pt2 file."),
    click.option(
        "--keras", type=PATH, help="Model of Keras 3, a .keras file. Needs no TensorFlow."
    ),
    click.option(
        "--saved-model",
        type=PATH,
        help="Folder of a TensorFlow SavedModel. TensorFlow executes it, so trust the model.",
    ),
    click.option(
        "--tensorflow-python",
        type=PATH,
        help="Python with tensorflow and tf2onnx that converts the SavedModel; default: "
        "$SIGHTLINE_TENSORFLOW_PYTHON, else this one.",
    ),
    click.option(
        "--signature", default="", help="Signature of the SavedModel; default: serving_default."
    ),
    click.option(
        "--sklearn", type=PATH, help="Estimator or pipeline of scikit-learn, a .skops file."
    ),
)
tensor_options = add_options(
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=image",
        help="Input that takes images, with the size, mean and std above. Other inputs take "
        "numbers. May be repeated.",
    ),
    click.option(
        "--head",
        "heads",
        multiple=True,
        metavar="OUTPUT=HEAD",
        help="Result of an output: classes (with --labels, or classes:FILE with labels of its "
        "own), vector for features, or tensor. May be repeated.",
    ),
    click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="NAME",
        help="Value inside the ONNX graph that becomes an output too, such as the input of the "
        "last layer. May be repeated.",
    ),
    click.option(
        "--range",
        "ranges",
        multiple=True,
        metavar="INPUT=LOW:HIGH",
        help="Test values of an input, such as ids=0:30000 for ids below 30,000. Default: values "
        "that the ONNX graph accepts. May be repeated.",
    ),
    click.option(
        "--example",
        "examples",
        multiple=True,
        metavar="NAME=DTYPE[n,…]",
        help="Input of a network of --weights that does not take one image, such as "
        "ids=int64[n,tokens]: a length, or a name for any length. May be repeated.",
    ),
)


@dataclass(frozen=True)
class TensorSource:
    """The model that the options name: a file of a framework, and how to convert it."""

    kind: str
    path: Path
    given: dict[str, Any]

    def convert(self, request: TensorRequest) -> ConvertedModel:
        """Convert the model to an ONNX graph.

        Raises:
            SightlineError: An error of the converter.
        """
        from sightline.bundle.convert import convert_file, convert_weights

        if self.kind != "weights":
            python, signature = self.given["tensorflow_python"], self.given["signature"]
            return convert_file(self.kind, self.path, request, python, signature)
        architecture, arguments = self.given["architecture"], self.given["architecture_arguments"]
        return convert_weights(self.path, architecture, arguments, self.given["examples"])


def find_tensor_source(given: dict[str, Any]) -> TensorSource | None:
    """Return the source of a model of tensors; None for a classifier of images.

    An ONNX file without any option of images is a model of tensors. If labels are given, its input
    must not have the rank of images, because then their options are missing.

    Args:
        given: Option values by parameter name.

    Raises:
        WrongUseError: NO_SOURCE if several sources are given, or none for the other options.
    """
    kinds = [one for one in _KINDS if given[one]]
    chosen = any(given[one] for one in _CHOICES)
    pretrained = given["weights"] or given["pretrained"] or given["architecture"]
    of_images = any(given[one] is not None for one in _IMAGE_OPTIONS)
    if not kinds and not chosen:
        if pretrained or of_images or not given["onnx"]:
            return None
        if given["labels"] and _may_take_image(given["onnx"]):
            return None
    kinds += [one for one in ("onnx", "weights") if given[one]]
    if len(kinds) != 1 or (kinds == ["weights"]) != bool(given["examples"]):
        options = ", ".join(f"--{one.replace('_', '-')}" for one in ("onnx", *_KINDS))
        raise WrongUseError(
            "NO_SOURCE",
            f"give one of {options}; or --weights, --architecture and an --example for each input.",
        )
    return TensorSource(kinds[0], given[kinds[0]], given)


def _may_take_image(path: Path) -> bool:
    require_package("onnx", install="sightline[add]", purpose="models add")
    from sightline.bundle.graph import may_take_image

    return may_take_image(path)


def read_tensor_request(name: str, given: dict[str, Any]) -> TensorRequest:
    """Return the request that the options describe.

    Args:
        name: Name of the new model.
        given: Option values by parameter name.

    Raises:
        WrongUseError: INVALID_OPTION, BAD_LABELS or BAD_PREPROCESSING.
        click.UsageError: If an option of an image is missing.
    """
    from sightline.bundle.tensor_request import TensorRequest

    heads: dict[str, str] = {}
    labels: dict[str, tuple[str, ...]] = {}
    for text in given["heads"]:
        output, head, file = _read_head(text)
        heads[output] = head
        if file:
            labels[output] = read_labels(Path(file))
    if given["labels"]:
        labels[given["scores_output"]] = read_labels(given["labels"])
    return TensorRequest(
        name=name,
        heads=heads,
        labels=labels,
        outputs=given["outputs"],
        images=_images(given),
        ranges=dict(_read_range(text) for text in given["ranges"]),
        activation=given["activation"],
        description=given["description"],
        licence=given["licence"] or "not stated",
        source=given["source"] or "",
        accuracy=tuple(Accuracy(*one) for one in given["accuracy"]),
    )


def _read_head(text: str) -> tuple[str, str, str]:
    """Return the output, the head and the file of labels of `OUTPUT=HEAD` or `OUTPUT=HEAD:FILE`."""
    output, equals, rest = text.rpartition("=")
    head, _, file = rest.partition(":")
    if not equals or not output or head not in _HEADS or (file and head != "classes"):
        rule = f"Write OUTPUT=HEAD; the heads are {', '.join(_HEADS)}, and classes:FILE."
        raise invalid_option("--head", text, rule)
    return output, head, file


def _read_range(text: str) -> tuple[str, tuple[float, float]]:
    name, equals, rest = text.rpartition("=")
    try:
        low, high = (float(one) for one in rest.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not equals or not name or not low < high:
        rule = "Write INPUT=LOW:HIGH, such as ids=0:30000; the values are below HIGH."
        raise invalid_option("--range", text, rule)
    return name, (low, high)


def _images(given: dict[str, Any]) -> dict[str, Any]:
    """Return the preprocessing of each image input; of "" if the only input is an image."""
    names = []
    for text in given["inputs"]:
        name, equals, kind = text.rpartition("=")
        if not equals or not name or kind != "image":
            raise invalid_option("--input", text, "Write NAME=image; other inputs need no option.")
        names.append(name)
    if not names and all(given[one] is None for one in _IMAGE_OPTIONS):
        return {}
    missing = [f"--{one}" for one in ("resize", "mean", "std") if given[one] is None]
    if missing:
        raise click.UsageError(
            f"{', '.join(missing)} must be given for an input of images. For an input that takes "
            "uint8 pixels, which the model normalises itself, give --mean 0 and --std 0.00392157."
        )
    return dict.fromkeys(names or [""], read_preprocessing(given))
