"""The function `load` of the Python interface, which opens a model or a plugin.

Users import `load` from `sightline` itself.
"""

from __future__ import annotations

import os
from typing import Any, Literal, overload

from sightline.api import Model
from sightline.api import load as open_model
from sightline.bundle.calibration import Precision
from sightline.engine.batch_rows import BatchRows
from sightline.engine.settings import Decoder
from sightline.errors import WrongUseError
from sightline.plugins.load_plugin import SHIPPED, load_plugin
from sightline.plugins.plugin import Plugin


@overload  # a model may have a plugin's name: then it is opened
def load(  # type: ignore[overload-overlap]
    model: Literal["onnx", "pytorch", "keras", "tensorflow"],
) -> Plugin: ...
@overload
def load(model: str, archive: str | os.PathLike[str]) -> Plugin: ...
@overload
def load(
    model: str | os.PathLike[str],
    *,
    backend: str = ...,
    precision: Precision = ...,
    device: str = ...,
    decoder: Decoder = ...,
    batch_rows: BatchRows = ...,
    threads: int | None = ...,
    models: str | os.PathLike[str] | None = ...,
    allow_code: bool = ...,
) -> Model: ...
def load(
    model: str | os.PathLike[str],
    archive: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Model | Plugin:
    """Open a model, or a plugin.

    ``load("digits")`` opens a model. ``load("my_plugin", "my_plugin.zip")`` returns the plugin in a
    zip. ``load("onnx")``, and the name of another shipped plugin, returns that plugin if no model
    has the name and no option is given; `load_plugin` always returns a plugin.

    Args:
        model: Name of a model, or path of its bundle; or name of a plugin.
        archive: The zip of a plugin's module.
        options: Only for a model: ``backend`` (``onnx``, ``openvino``, ``pytorch`` or an installed
            one), ``precision`` (``fp32``, ``bf16``, ``int8``), ``device`` (``auto``, ``cpu``,
            ``cuda``), ``decoder`` (``fast``, ``exact``), ``batch_rows``, ``threads``,
            ``models`` (the folder to search first) and ``allow_code`` (whether the bundle may run
            Python code of any package).

    Raises:
        WrongUseError: UNKNOWN_MODEL, INVALID_BUNDLE, UNKNOWN_BACKEND, UNKNOWN_PRECISION,
            UNKNOWN_DEVICE, UNKNOWN_DECODER, NO_VARIANT, UNSUPPORTED_PRECISION, NOT_CALIBRATED,
            CODE_NOT_ALLOWED, INVALID_OPTION, MISSING_PACKAGE or BROKEN_EXTENSION; those of
            `load_plugin` for a plugin.
        SightlineError: DEVICE_UNAVAILABLE or OUT_OF_MEMORY.
    """
    if archive is not None:
        if options:
            raise WrongUseError(
                "INVALID_OPTION",
                f"a plugin has no option {', '.join(options)}: give it to the plugin's methods.",
            )
        return load_plugin(os.fspath(model), archive)
    try:
        return open_model(model, **options)
    except WrongUseError as error:
        if error.code != "UNKNOWN_MODEL" or model not in SHIPPED or options:
            raise
        return load_plugin(str(model))
