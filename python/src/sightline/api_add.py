"""The Python interface of `models add`: makes a bundle of a model in memory or in a file.

Users import `add_model` from `sightline` itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sightline.bundle.convert import convert_file, convert_object
from sightline.bundle.find import writable_folder
from sightline.bundle.image_options import read_preprocessing
from sightline.bundle.image_settings import Preprocessing, Size
from sightline.bundle.labels import read_labels
from sightline.bundle.tensor_request import TensorRequest
from sightline.bundle.write_bundle import model_exists, require_model_name
from sightline.errors import WrongUseError
from sightline.wrong_option import (
    invalid_option,
    require_known,
    require_mapping,
    require_range,
    require_texts,
)

Labels = Sequence[str] | str | os.PathLike[str]
_KINDS = {
    ".onnx": "onnx",
    ".pt2": "torch_export",
    ".keras": "keras",
    ".h5": "keras",
    ".skops": "sklearn",
}
_HEADS = ("classes", "vector", "tensor")
_IMAGE = ("resize", "resize_mode", "crop", "interpolation", "mean", "std")


def add_model(
    source: object,
    name: str,
    *,
    models: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    images: Mapping[str, Mapping[str, object]] | None = None,
    heads: Mapping[str, str] | None = None,
    labels: Labels | Mapping[str, Labels] = (),
    outputs: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    activation: Literal["auto", "softmax", "sigmoid", "none"] = "auto",
    example_inputs: Any = None,  # noqa: ANN401 - tensors of torch, or descriptions
    initial_types: Sequence[tuple[str, Any]] | None = None,
    tensorflow_python: str | os.PathLike[str] | None = None,
    signature: str = "",
    description: str = "",
    licence: str = "not stated",
    origin: str = "",
    measure: bool = True,
) -> Path:
    """Add a model from memory or from a file, as the command `sightline models add` does.

    Inputs, outputs and free axes are found by running the model. Its results are compared with
    those of its framework.

    Args:
        source: An `onnx.ModelProto`, a `torch.nn.Module`, a `torch.export.ExportedProgram`, a Keras
            model, or a fitted estimator of scikit-learn; or the path of a `.onnx`, `.pt2`,
            `.keras`, `.h5` or `.skops` file, or of the folder of a TensorFlow SavedModel.
        name: Name of the model.
        models: Folder of models; None for ``$SIGHTLINE_MODELS``, else ``./models``.
        overwrite: Whether to replace a model of that name.
        images: Settings of the inputs that take images, by the input's name: ``resize`` (pixels, or
            height and width), ``crop``, ``mean`` and ``std`` (three numbers in 0..1),
            ``resize_mode`` and ``interpolation``.
        heads: ``classes``, ``vector`` or ``tensor``, by output. By default an output with labels
            has classes, other floating-point rows are vectors, and the rest are tensors.
        labels: Label of each class, or a text file with a label per line; or these by output.
        outputs: Names of values inside the ONNX graph that become outputs too.
        ranges: Lowest value and limit of an input's test values, by input. By default values that
            the graph accepts.
        activation: What turns class scores into probabilities; ``auto`` decides from the scores.
        example_inputs: Inputs of a `torch.nn.Module`: tensors whose first axis is the batch.
        initial_types: Inputs of an estimator with several inputs, as skl2onnx takes them.
        tensorflow_python: Python with tensorflow and tf2onnx that converts a SavedModel; None for
            ``$SIGHTLINE_TENSORFLOW_PYTHON``, else this one.
        signature: Signature of a SavedModel; empty for ``serving_default``.
        description: One line.
        licence: Licence of the weights.
        origin: Origin of the weights; by default the framework and the file.
        measure: Whether to measure the batch size with the least CPU time for a row, which takes
            seconds for each backend. Without it the same model gives the same bundle.

    Returns:
        The bundle's folder. `sightline.load` and SQL read it.

    Raises:
        WrongUseError: MODEL_EXISTS, WRONG_MODEL_NAME, UNKNOWN_SOURCE, NO_SOURCE, MISSING_PACKAGE,
            INVALID_OPTION, BAD_LABELS, BAD_PREPROCESSING, or the reason why it cannot be added.
        SightlineError: EXPORT_FAILED, or MODEL_VARIANTS_DISAGREE if the ONNX graph gives other
            results than the framework.
    """
    require_known("activation", activation, ("auto", "softmax", "sigmoid", "none"))
    require_model_name(name)
    for option, value in (("heads", heads), ("images", images), ("ranges", ranges)):
        if value is not None:
            require_mapping(option, value)
    inner = require_texts("outputs", outputs)
    limits = {one: require_range(f"ranges['{one}']", two) for one, two in (ranges or {}).items()}
    for output, head in (heads or {}).items():
        if head not in _HEADS:
            raise invalid_option(f"heads['{output}']", head, f"Known: {', '.join(_HEADS)}.")
    root = writable_folder(Path(models) if models else None)
    target = root / name
    if target.exists() and not overwrite:
        raise model_exists(target, "Use overwrite=True.")
    request = TensorRequest(
        name=name,
        heads=dict(heads or {}),
        labels=_labels(labels),
        outputs=inner,
        images={one: _preprocessing(settings) for one, settings in (images or {}).items()},
        ranges=limits,
        activation=activation,
        description=description,
        licence=licence,
        source=origin,
    )
    files = []
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        python = Path(tensorflow_python) if tensorflow_python else None
        converted = convert_file(_kind(path), path, request, python, signature)
        files.append(path)
    else:
        converted = convert_object(source, request, example_inputs, initial_types)
    from sightline.bundle.add_tensors import add_tensors

    existing: Literal["refuse", "replace"] = "replace" if overwrite else "refuse"
    added = add_tensors(converted, request, root, existing, files, measure=measure)
    return added.bundle.path


def _kind(path: Path) -> str:
    if path.is_dir():
        return "saved_model"
    if path.suffix not in _KINDS:
        raise WrongUseError(
            "UNKNOWN_SOURCE",
            f"'{path}' is not a model that can be added. Known: files that end in "
            f"{', '.join(_KINDS)}, and the folder of a TensorFlow SavedModel.",
        )
    return _KINDS[path.suffix]


def _labels(labels: Labels | Mapping[str, Labels]) -> dict[str, tuple[str, ...]]:
    found = {}
    for output, one in (labels if isinstance(labels, Mapping) else {"": labels}).items():
        if isinstance(one, str | os.PathLike):
            found[output] = read_labels(Path(one))
        else:
            option = "labels" if not output else f"labels['{output}']"
            found[output] = require_texts(option, one)
    return {output: one for output, one in found.items() if one}


def _preprocessing(settings: Mapping[str, object]) -> Preprocessing:
    """Return the settings of an image input.

    Raises:
        WrongUseError: INVALID_OPTION for another setting or one that is missing.
    """
    if not isinstance(settings, Mapping):
        raise invalid_option("images", settings, f"Each input needs {', '.join(_IMAGE)} by name.")
    for name in settings:
        if name not in _IMAGE:
            raise invalid_option("images", name, f"Known: {', '.join(_IMAGE)}.")
    for name in ("resize", "mean", "std"):
        if name not in settings:
            raise invalid_option("images", dict(settings), f"It needs {name}.")
    given: dict[str, Any] = {**dict.fromkeys(_IMAGE), **settings}
    for name in ("resize", "crop"):
        if isinstance(given[name], tuple | list):
            given[name] = Size(*given[name])
    for name in ("mean", "std"):
        value = given[name]
        given[name] = (value,) * 3 if isinstance(value, int | float) else tuple(value)
    return read_preprocessing(given)
