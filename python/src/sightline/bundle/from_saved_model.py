"""Converts a TensorFlow SavedModel, by tf2onnx in an interpreter of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnx

from sightline.backends.backend import Array
from sightline.bundle import saved_model_script
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.plain_graph import plain_graph
from sightline.errors import SightlineError, WrongUseError
from sightline.require_package import has_package
from sightline.wrong_option import invalid_option

VARIABLE = "SIGHTLINE_TENSORFLOW_PYTHON"
LIMIT = "SIGHTLINE_TENSORFLOW_SECONDS"
_SECONDS = 1800.0
_PACKAGES = "tensorflow-cpu tf2onnx"
_CHECK = (
    "import importlib.util as u; "
    "print(*(p for p in ('tensorflow', 'tf2onnx') if u.find_spec(p) is None))"
)


def from_saved_model(path: Path, python: Path | None = None, signature: str = "") -> ConvertedModel:
    """Convert a SavedModel. TensorFlow runs in a process of its own, for 10 to 60 seconds.

    The process is ended after 1800 seconds, or those of SIGHTLINE_TENSORFLOW_SECONDS.

    A SavedModel is a program: TensorFlow executes it, and its operators can read and write files.
    Convert only models that you trust.

    Args:
        path: The folder with `saved_model.pb`.
        python: An interpreter with tensorflow and tf2onnx. By default the environment variable
            SIGHTLINE_TENSORFLOW_PYTHON, else this interpreter.
        signature: Name of a signature; empty takes `serving_default`, or the only one.

    Raises:
        WrongUseError: MISSING_PACKAGE with the commands that install TensorFlow; BAD_MODEL_FILE;
            UNKNOWN_SIGNATURE; FIXED_BATCH; NOT_FINITE; INVALID_OPTION for a wrong limit.
        SightlineError: EXPORT_FAILED.
    """
    if not (path / "saved_model.pb").is_file():
        raise _error(path, "BAD_MODEL_FILE", "it is not a folder with saved_model.pb")
    interpreter = _interpreter(python)
    with tempfile.TemporaryDirectory(prefix="sightline-tensorflow-") as name:
        folder = Path(name)
        _run(interpreter, path, signature, folder)
        result = json.loads((folder / "result.json").read_text("utf-8"))
        if "error" in result:
            raise _error(path, *result["error"])
        inputs = _arrays(folder / "inputs.npz", result["inputs"])
        outputs = _arrays(folder / "outputs.npz", result["outputs"])
        graph = onnx.load(folder / "model.onnx")
    for key, value in outputs.items():
        if value.dtype.kind == "f" and np.isnan(value).any():
            raise _error(path, "NOT_FINITE", f"it gives NaN in its output '{key}'")
    given = [one.name for one in graph.graph.output]
    if set(given) != outputs.keys():
        raise _error(
            path, "EXPORT_FAILED", f"its outputs are {sorted(outputs)}, in ONNX {sorted(given)}"
        )
    content, names = plain_graph(graph)
    return ConvertedModel(
        onnx=content,
        inputs=inputs,
        outputs={key: outputs[key] for key in names},
        origin=f"TensorFlow {result['tensorflow']}, {path.name}, signature {result['signature']}",
        parameters=result["parameters"],
    )


def _interpreter(python: Path | None) -> Path:
    """Return an interpreter that has tensorflow and tf2onnx."""
    named = os.environ.get(VARIABLE, "")
    found = python or (Path(named) if named else None)
    if found is None:
        if has_package("tensorflow") and has_package("tf2onnx"):
            return Path(sys.executable)
        raise _missing(f"{sys.executable} does not have tensorflow and tf2onnx")
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user names
            [str(found), "-c", _CHECK], capture_output=True, text=True, check=False, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing(f"'{found}' cannot be started ({error})") from error
    if done.returncode or done.stdout.strip():
        lacks = " and ".join(done.stdout.split()) or "a working Python"
        raise _missing(f"'{found}' does not have {lacks}")
    return found


def _run(python: Path, model: Path, signature: str, folder: Path) -> None:
    """Run the script. A line on stderr tells the user what takes so long."""
    script = Path(saved_model_script.__file__)
    limit = _seconds()
    started = time.monotonic()
    _say(f"Converting '{model.name}' with TensorFlow in {python} (10 to 60 s) …")
    with (folder / "log.txt").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 - our own script
            [str(python), str(script), str(model.resolve()), signature, str(folder)],
            cwd=folder,
            env=_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise _error(
                model,
                "EXPORT_FAILED",
                f"{python} did not convert it within {limit:g} s. Set {LIMIT} to more seconds",
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that it started
                process.wait()
        log.seek(0)
        last = log.read().decode(errors="replace").strip().splitlines()[-1:]
    if status or not (folder / "result.json").is_file():
        reason = last[0][:300] if last else "without a message"
        raise _error(
            model,
            "EXPORT_FAILED",
            f"{python} ended with status {status} while converting: {reason}",
        )
    _say(f"Converted '{model.name}' in {time.monotonic() - started:.0f} s.")


def _seconds() -> float:
    """Return the time limit of a conversion."""
    text = os.environ.get(LIMIT, "")
    try:
        seconds = float(text or _SECONDS)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise invalid_option(LIMIT, text, "It must be a number of seconds above 0.")
    return seconds


def _environment() -> dict[str, str]:
    """Return this process's variables without those that point Python at other packages."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def _arrays(file: Path, names: list[str]) -> dict[str, Array]:
    with np.load(file, allow_pickle=False) as arrays:
        return {name: np.ascontiguousarray(arrays[f"arr_{k}"]) for k, name in enumerate(names)}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _missing(problem: str) -> WrongUseError:
    return WrongUseError(
        "MISSING_PACKAGE",
        f"a SavedModel needs TensorFlow, and {problem}. Install it in an environment of its own: "
        f"python -m venv tf && tf/bin/pip install {_PACKAGES}, then give "
        f"--tensorflow-python tf/bin/python (or {VARIABLE}).",
    )


def _error(path: Path, condition: str, problem: str) -> SightlineError:
    text = f"'{path}': {problem}."
    if condition == "EXPORT_FAILED":
        return SightlineError("EXPORT_FAILED", text)
    return WrongUseError(condition, text)
