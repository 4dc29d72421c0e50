"""Converts a Keras 3 model, from a file or in memory, on Keras's torch backend."""

from __future__ import annotations

import importlib
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.keras_graph import convert_keras, keras_words
from sightline.bundle.quiet_logs import quiet_framework
from sightline.errors import WrongUseError
from sightline.require_package import require_package

_SUFFIXES = (".keras", ".h5", ".hdf5")


def from_keras(source: Path | Any) -> ConvertedModel:  # noqa: ANN401 - Keras is optional
    """Convert a Keras model. Nothing of TensorFlow is imported.

    Files are read in Keras's safe mode, which executes no code of the file. The expected outputs
    are those of Keras's own `predict`.

    Args:
        source: A .keras file, a legacy .h5 file, or a `keras.Model` in memory.

    Raises:
        WrongUseError: MISSING_PACKAGE; WRONG_KERAS_BACKEND; BAD_MODEL_FILE; UNSAFE_MODEL for a
            layer with code of the file; FIXED_BATCH; NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    keras = _import_keras()
    if isinstance(source, Path):
        return convert_keras(keras, read_keras(source), source.name)
    if not isinstance(source, keras.Model):
        kind = f"{type(source).__module__}.{type(source).__name__}"
        raise WrongUseError("BAD_MODEL_FILE", f"a {kind} is not a keras.Model.")
    return convert_keras(keras, source, str(source.name))


def _import_keras() -> Any:  # noqa: ANN401
    require_package("keras", "torch", install="sightline[add,cpu,keras]", purpose="a Keras model")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    keras = importlib.import_module("keras")
    backend = keras.backend.backend()
    if backend != "torch":
        raise WrongUseError(
            "WRONG_KERAS_BACKEND",
            f"this process runs Keras on {backend}. Save the model by model.save('FILE.keras'), "
            "and add that file in another process; or set KERAS_BACKEND=torch before the first "
            "import of keras.",
        )
    return keras


def read_keras(path: Path) -> Any:  # noqa: ANN401
    """Return the Keras model of a file, which is read in safe mode.

    Raises:
        WrongUseError: MISSING_PACKAGE, WRONG_KERAS_BACKEND, BAD_MODEL_FILE or UNSAFE_MODEL.
    """
    keras = _import_keras()
    if not path.is_file():
        raise _bad(path, "the file does not exist")
    if path.suffix not in _SUFFIXES:
        raise _bad(path, "its name must end in .keras or .h5")
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        raise _bad(path, "it is damaged, or not a file of model.save('FILE.keras')")
    try:
        with quiet_framework():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras's errors vary with the layer
        reason = keras_words(error)
        if "arbitrary code execution" in reason or "safe_mode" in reason or "unsafe" in reason:
            raise WrongUseError(
                "UNSAFE_MODEL",
                f"'{path}': it has a layer with Python code, such as Lambda: {reason}. Nothing of "
                "it was executed. Replace the layer by one of Keras, or give the model in memory.",
            ) from error
        if "Could not locate" in reason:
            raise _bad(
                path,
                f"it has a class of its own: {reason}. Import that class and give the model in "
                "memory",
            ) from error
        raise _bad(path, f"Keras {keras.__version__} cannot read it: {reason}") from error


def _bad(path: Path, problem: str) -> WrongUseError:
    return WrongUseError("BAD_MODEL_FILE", f"'{path}': {problem}.")
