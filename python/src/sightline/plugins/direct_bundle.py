"""Makes a bundle whose model is Python code: a plugin, and a file or a user's loader."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.backends.backend import Array
from sightline.backends.named_arrays import named_arrays
from sightline.backends.python import VARIANT, call_loader, loader_failed
from sightline.bundle.golden import TOLERANCE, pack_golden, tolerance_for
from sightline.bundle.manifest import Golden, Manifest, is_model_name
from sightline.bundle.signature import (
    CLASSES,
    TENSOR,
    VECTOR,
    Classes,
    Input,
    Kind,
    Output,
    Signature,
)
from sightline.bundle.tensor_spec import DTYPES, TensorSpec
from sightline.errors import SightlineError, WrongUseError
from sightline.plugins.model_options import ModelOptions
from sightline.plugins.session_folder import write_bundle
from sightline.plugins.tensor_text import read_tensors
from sightline.plugins.user_code import UserCode, class_code, given_files, loader_code, pack
from sightline.version import __version__

if TYPE_CHECKING:
    from sightline.plugins.plugin import Plugin

_CODE, _LABELS, _GOLDEN = "code.zip", "labels.txt", "golden.safetensors"


def direct_bundle(plugin: Plugin, m: object, options: ModelOptions) -> Path:
    """Write a bundle that the plugin serves in the workers.

    The model is loaded here only if the signature is not given, and to compute the outputs of
    `example_inputs`, which `models verify` and CREATE MODEL compare.

    Args:
        plugin: Its class opens and runs the model.
        m: A user's loader function, or what `plugin.save` writes.
        options: See `ModelOptions`.

    Returns:
        The path of the bundle, in a folder that is removed when the process ends.

    Raises:
        WrongUseError: WRONG_LOADER, LOADER_FAILED, WRONG_MODEL_SOURCE, WRONG_TENSOR_TEXT or
            INVALID_OPTION.
        SightlineError: MODEL_OUTPUT if the model does not return what the options state.
    """
    server = class_code(type(plugin))
    loader = loader_code(m) if isinstance(m, FunctionType) else None
    with tempfile.TemporaryDirectory(prefix="sightline-save-") as temporary:
        folder = Path(temporary)
        if loader is None:
            plugin.save(m, folder)
        files = _plain_files(folder)
        code = given_files(options.get("code", ()))
        files[_CODE] = pack({**server.files, **(loader.files if loader else {}), **code})
        tensors = _tensors(plugin, m if loader else None, loader or server, folder, options)
    signature = _signature(tensors, options)
    if "labels" in options:
        files[_LABELS] = "".join(f"{label}\n" for label in options["labels"]).encode()
    files[_GOLDEN] = pack_golden(tensors.inputs, tensors.outputs)
    reference = (loader or server).reference
    manifest = Manifest(
        name=model_name(m, options),
        description=f"Python code that the plugin {type(plugin).__name__} runs.",
        signature=signature,
        onnx=None,
        pytorch=None,
        parameters=0,
        golden=_golden(signature, tensors),
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        licence="unknown",
        source=reference,
        created_by=f"sightline {__version__}",
        other_variants={
            VARIANT: {"file": _CODE, "architecture": reference, "plugin": server.reference}
        },
    )
    text = manifest.to_json()
    Manifest.from_json(text)  # raises INVALID_BUNDLE for a signature that cannot be used
    return write_bundle(manifest.name, text, files)


@dataclass(frozen=True)
class _Tensors:
    """The tensors of a model, and the arrays of the golden batch."""

    input_specs: tuple[TensorSpec, ...]
    output_specs: tuple[TensorSpec, ...]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


def _tensors(
    plugin: Plugin, loader: object, code: UserCode, folder: Path, options: ModelOptions
) -> _Tensors:
    given: dict[str, tuple[TensorSpec, ...]] = {}
    if "inputs" in options:
        given["inputs"] = read_tensors(options["inputs"], "input")
    texts = options.get("outputs", ())
    if isinstance(texts, str | Mapping):
        given["outputs"] = read_tensors(texts, "output")
    inputs = example_arrays(options.get("example_inputs"), given.get("inputs", ()))
    if not inputs:
        if len(given) < 2:
            raise WrongUseError(
                "INVALID_OPTION",
                "the tensors of a model of Python code are not known. Give example_inputs, or "
                'both inputs and outputs, such as inputs="float32[n,4]".',
            )
        zeros = {one.name: _zeros(one) for one in given["inputs"]}
        return _Tensors(given["inputs"], given["outputs"], zeros, {})
    specs = given.get("inputs") or tuple(_spec(name, array) for name, array in inputs.items())
    rows = len(next(iter(inputs.values())))
    try:
        model = plugin.open(folder) if loader is None else call_loader(loader, folder)
        result = plugin.run(model, inputs)
    except SightlineError:
        raise
    except Exception as error:
        raise loader_failed(code.reference, error) from error
    names = tuple(one.name for one in given.get("outputs", ()))
    outputs = named_arrays(result, rows, names)
    wanted = given.get("outputs") or tuple(_spec(name, array) for name, array in outputs.items())
    missing = [one.name for one in wanted if one.name not in outputs]
    if missing or any(array.shape[:1] != (rows,) for array in outputs.values()):
        found = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
        raise WrongUseError(
            "INVALID_OPTION",
            f"for {rows} rows of example_inputs the model returned {found}. Each output needs a "
            f"row for each row of the input{f', and there is no {missing[0]}' if missing else ''}.",
        )
    return _Tensors(
        specs, wanted, inputs, {one.name: outputs[one.name].astype(one.dtype) for one in wanted}
    )


def example_arrays(examples: Any, specs: Sequence[TensorSpec]) -> dict[str, Array]:  # noqa: ANN401
    """Return example inputs by name, in the dtypes of the given tensors.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if examples is None:
        return {}
    name = specs[0].name if specs else "input"
    named = examples if isinstance(examples, Mapping) else {name: examples}
    dtypes = {one.name: one.dtype for one in specs}
    try:
        arrays = {str(key): np.asarray(value, dtypes.get(str(key))) for key, value in named.items()}
    except (ValueError, TypeError, OverflowError) as error:
        raise WrongUseError(
            "INVALID_OPTION",
            f"example_inputs cannot be made arrays of numbers: {error}. Give an array, or a "
            "dictionary with an array for each input.",
        ) from error
    unknown = [key for key in dtypes if key not in arrays]
    rows = {len(array) if array.ndim else 0 for array in arrays.values()}
    if unknown or len(rows) != 1 or 0 in rows:
        raise WrongUseError(
            "INVALID_OPTION",
            "example_inputs must have the same rows, at least one, for every input: "
            + ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
            + "".join(f", and {key}" for key in unknown)
            + ".",
        )
    return arrays


def _spec(name: str, array: Array) -> TensorSpec:
    dtype = str(array.dtype)
    if dtype not in DTYPES:
        raise WrongUseError(
            "INVALID_OPTION",
            f"tensor '{name}' is {dtype}. Known dtypes: {', '.join(DTYPES)}. State another one by "
            "the option inputs or outputs.",
        )
    return TensorSpec(name, dtype, ("n", *array.shape[1:]))


def _zeros(spec: TensorSpec) -> Array:
    return np.zeros(
        [1, *(axis if isinstance(axis, int) else 1 for axis in spec.shape[1:])], spec.dtype
    )


def _signature(tensors: _Tensors, options: ModelOptions) -> Signature:
    heads: dict[str, str] = dict(options.get("heads", {}))
    if "labels" in options and CLASSES not in heads.values():
        heads.setdefault(tensors.output_specs[0].name, CLASSES)
    unknown = sorted(heads.keys() - {one.name for one in tensors.output_specs})
    wrong = sorted({str(one) for one in heads.values()} - {CLASSES, VECTOR, TENSOR})
    if unknown or wrong or (CLASSES in heads.values()) != ("labels" in options):
        raise WrongUseError(
            "INVALID_OPTION",
            f"heads is {heads}. It names outputs of the model "
            f"({', '.join(one.name for one in tensors.output_specs)}), each classes, vector or "
            "tensor; classes needs the option labels.",
        )
    classes = Classes(_LABELS, _activation(options))
    return Signature(
        tuple(Input(one, Kind(TENSOR)) for one in tensors.input_specs),
        tuple(
            Output(one, classes if head == CLASSES else Kind(head))
            for one in tensors.output_specs
            for head in [heads.get(one.name, VECTOR if _is_vector(one) else TENSOR)]
        ),
    )


def _activation(options: ModelOptions) -> str:
    """Return the activation; scores of Python code are probabilities unless stated."""
    given = options.get("activation", "auto")
    return "none" if given == "auto" else given


def _is_vector(spec: TensorSpec) -> bool:
    return spec.dtype == "float32" and len(spec.shape) == 2 and isinstance(spec.shape[1], int)


def _golden(signature: Signature, tensors: _Tensors) -> Golden:
    rows = len(next(iter(tensors.inputs.values())))
    scores = [tensors.outputs[o.name] for o in signature.class_outputs if o.name in tensors.outputs]
    tolerance = max((tolerance_for(one, "single") for one in scores), default=TOLERANCE)
    return Golden(_GOLDEN, rows, tolerance, {})


def _plain_files(folder: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    reserved = sorted(files.keys() & {_CODE, _LABELS, _GOLDEN, "model.json"})
    if reserved:
        raise WrongUseError(
            "WRONG_MODEL_SOURCE",
            f"a file of the model is named {reserved[0]}, which the bundle uses.",
        )
    return files


def model_name(m: object, options: ModelOptions) -> str:
    """Return the name for a model: the option, else that of the file, function or class."""
    own = Path(m).stem if isinstance(m, str | Path) else getattr(m, "__name__", type(m).__name__)
    name = options.get("name") or str(own)
    plain = "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in name)
    return plain if is_model_name(plain) else f"model_{plain[:80].strip('.-')}"
