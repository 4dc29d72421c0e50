"""The backend of users' Python code: a plugin's class opens and runs the model, without ONNX.

The bundle's variant `python` names the code, and holds its sources:

    {"file": "code.zip", "architecture": "my_module:load", "plugin": "my_plugin:MyPlugin"}

`architecture` is the function that loads the model, or the plugin itself. All of it is user code,
so the user must allow it.
"""

from __future__ import annotations

import atexit
import hashlib
import inspect
import os
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from sightline.backends.backend import Array
from sightline.backends.consent import require_consent
from sightline.backends.device import Device, unavailable
from sightline.backends.import_code import import_code
from sightline.backends.named_arrays import named_arrays
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import SightlineError, WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory

VARIANT = "python"
_keep_lock = threading.Lock()


class ModelServer(Protocol):
    """The part of `sightline.Plugin` that runs in the workers."""

    def open(self, folder: Path) -> object:
        """Return the model that `folder` contains."""
        ...

    def run(self, model: object, inputs: Mapping[str, Array]) -> object:
        """Run one batch; see `sightline.Plugin.run`."""
        ...


@dataclass(frozen=True, eq=False)
class PythonSession:
    """A loaded object and the plugin that runs it. One batch runs at a time."""

    plugin: ModelServer
    model: object
    outputs: Mapping[str, TensorSpec]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """See `backend.Session.run`. User code need not be safe for threads."""
        rows = len(next(iter(feeds.values())))
        with self.lock:
            found = named_arrays(self.plugin.run(self.model, feeds), rows, tuple(self.outputs))
            # Copies, because the next batch may overwrite an array that the model keeps.
            return {
                name: _converted(found[name], self.outputs[name])
                for name in wanted
                if name in found
            }


class PythonBackend:
    """The plugin and the loader that the bundle names."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: Precision = "fp32",
        allow_code: bool = False,
    ) -> PythonSession:
        """See `backend.Backend.open`.

        Raises:
            WrongUseError: CODE_NOT_ALLOWED, INVALID_BUNDLE, LOADER_FAILED.
        """
        if device.kind != "cpu":
            raise unavailable("python", str(device), "it runs on the CPU only")
        variant = bundle.manifest.other_variants.get(VARIANT)
        if variant is None:
            raise WrongUseError("NO_VARIANT", f"model {bundle.name} has no python variant.")
        names = {key: str(variant.get(key, "")) for key in ("file", "architecture", "plugin")}
        if not all(":" in names[key] for key in ("architecture", "plugin")):
            raise WrongUseError(
                "INVALID_BUNDLE",
                f"{bundle.path}: variants.python must have architecture and plugin, each "
                "module:name.",
            )
        if not allow_code:
            # Not only other packages' code: a module of Sightline's is no safe loader either.
            require_consent(bundle.name, f"python:{names['architecture']}", allow_code=False)
        if names["file"] not in bundle.manifest.files:
            raise WrongUseError(
                "INVALID_BUNDLE", f"{bundle.path}: variants.python.file is not one of its files."
            )
        folder = _checked_folder(bundle)
        archive = _kept(bundle.read_bytes(names["file"]))
        try:
            plugin = import_code(names["plugin"], archive)()
            if names["architecture"] == names["plugin"]:
                model = plugin.open(folder)
            else:
                model = call_loader(import_code(names["architecture"], archive), folder)
        except SightlineError:
            raise
        except Exception as error:
            raise_if_out_of_memory(error, f"loading model {bundle.name}")
            raise loader_failed(names["architecture"], error) from error
        outputs = {one.name: one.tensor for one in bundle.manifest.signature.outputs}
        return PythonSession(plugin, model, outputs)

    def has_cuda(self) -> bool:
        """Return False: the engine gives user code no GPU."""
        return False


def call_loader(loader: object, folder: Path) -> object:
    """Call a user's loader: with the folder of the bundle's files if it takes an argument."""
    if not callable(loader):
        raise TypeError(f"{loader!r:.80} is not a function")
    needed = [
        one
        for one in inspect.signature(loader).parameters.values()
        if one.default is inspect.Parameter.empty
        and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return loader(folder) if needed else loader()


def loader_failed(loader: str, error: BaseException) -> WrongUseError:
    """Return the error for a loader or plugin that raised an exception."""
    message = " ".join(str(error).split())[:300].rstrip(".")
    remedy = (
        "Install it there, or add its file or folder by the option code."
        if isinstance(error, ModuleNotFoundError)
        else "Its packages and files must exist on every machine."
    )
    return WrongUseError(
        "LOADER_FAILED",
        f"'{loader}' did not load the model: {type(error).__name__}: {message}. It runs in "
        f"each worker process. {remedy}",
    )


def _checked_folder(bundle: Bundle) -> Path:
    """Return a folder with the bundle's files, whose hashes have been checked."""
    contents = {name: bundle.read_bytes(name) for name in bundle.manifest.files}
    if bundle.path.is_dir():
        return bundle.path
    folder = _temporary_folder()
    for name, content in contents.items():
        if Path(name).name != name:
            raise WrongUseError("INVALID_BUNDLE", f"{bundle.path}: '{name}' is not a plain name.")
        (folder / name).write_bytes(content)
    return folder


def _kept(sources: bytes) -> Path:
    """Return a copy of a zip of sources, which stays as it is if the bundle is replaced."""
    copy = _code_folder() / f"{hashlib.sha256(sources).hexdigest()}.zip"
    with _keep_lock:
        if not copy.exists():
            copy.write_bytes(sources)
    return copy


@cache
def _code_folder() -> Path:
    return _temporary_folder()


def _temporary_folder() -> Path:
    """Return a new folder that exists as long as this process, because its code stays importable.

    Spark kills its workers, and removes the folders of SPARK_LOCAL_DIRS when the executor ends.
    """
    local = [one for one in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if Path(one).is_dir()]
    parent = local[0] if local and local[0] else None
    folder = Path(tempfile.mkdtemp(prefix="sightline-code-", dir=parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _converted(array: Array, tensor: TensorSpec) -> Array:
    """Return a copy, in the signature's dtype if the kind of number stays the same."""
    same = np.can_cast(array.dtype, tensor.dtype, "same_kind")
    return np.array(array, tensor.dtype if same else array.dtype, order="C")


BACKEND = PythonBackend()
