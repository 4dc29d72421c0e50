"""Converts a TensorFlow SavedModel. `from_saved_model` runs this file in TensorFlow's interpreter.

That interpreter has no Sightline: this file uses the standard library, numpy, TensorFlow and
tf2onnx, and `input_rows.py` beside it. Arguments: the SavedModel, the signature or nothing, and a
folder for the results: `model.onnx`, `inputs.npz`, `outputs.npz` and `result.json`. `result.json`
contains `error` with a condition and a reason if the model cannot be converted.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

OPSET = 18


def main(model: str, signature: str, folder: Path) -> None:
    """Convert the model and write the results to the folder."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.path = [one for one in sys.path if Path(one or ".").resolve() != Path(__file__).parent]
    import numpy as np
    import tensorflow as tf

    rules = runpy.run_path(str(Path(__file__).with_name("input_rows.py")))
    try:
        loaded = tf.saved_model.load(model)
    except Exception as error:  # TensorFlow's errors vary with the damage
        raise Refused("BAD_MODEL_FILE", f"TensorFlow cannot read it: {_first(error)}") from error
    chosen = _choose(list(loaded.signatures), signature)
    function = loaded.signatures[chosen]
    specs = dict(sorted(function.structured_input_signature[1].items()))
    shapes = {key: _axes(key, spec) for key, spec in specs.items()}
    try:
        rows = rules["batch_rows"](shapes)
    except ValueError as error:
        raise Refused("FIXED_BATCH", f"signature '{chosen}': {error}") from error
    reasons = []
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for length in rules["FREE_LENGTHS"]:
        try:
            for key, spec in specs.items():
                lengths = [rows, *(axis or length for axis in shapes[key][1:])]
                inputs[key] = rules["rows_of"](key, spec.dtype.name, lengths)
            result = function(**{key: tf.constant(value) for key, value in inputs.items()})
            outputs = {key: value.numpy() for key, value in result.items()}
            break
        except Exception as error:  # noqa: BLE001 - the model runs here, and can raise anything
            reasons.append(error)
    if not outputs:
        raise Refused("EXPORT_FAILED", f"it does not run on test values: {_first(reasons[0])}")
    for key, value in outputs.items():
        if value.dtype.kind not in "fiub":
            raise Refused("EXPORT_FAILED", f"its output '{key}' is text, not a tensor of numbers")
        if value.ndim == 0 or len(value) != rows:
            raise Refused("EXPORT_FAILED", f"its output '{key}' has no batch axis")
    _convert(model, chosen, folder / "model.onnx")
    np.savez(folder / "inputs.npz", *inputs.values())
    np.savez(folder / "outputs.npz", *outputs.values())
    result = {
        "tensorflow": tf.__version__,
        "signature": chosen,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "parameters": _parameters(loaded, function),
    }
    (folder / "result.json").write_text(json.dumps(result), "utf-8")


class Refused(Exception):  # noqa: N818 - not an error of the program
    """The model cannot be converted, for a condition and a reason."""

    def __init__(self, condition: str, reason: str) -> None:
        super().__init__(condition, reason)
        self.condition = condition
        self.reason = reason


def _choose(known: list[str], wanted: str) -> str:
    if wanted in known:
        return wanted
    names = ", ".join(known) or "none"
    if wanted:
        raise Refused("UNKNOWN_SIGNATURE", f"it has no signature '{wanted}'. Known: {names}")
    if "serving_default" in known:
        return "serving_default"
    if len(known) == 1:
        return known[0]
    raise Refused(
        "UNKNOWN_SIGNATURE",
        f"it has no signature 'serving_default' ({names}). Choose one with --signature, or save "
        "it by model.export or tf.saved_model.save(model, DIR, signatures=…)",
    )


def _axes(name: str, spec: Any) -> list[int | None]:  # noqa: ANN401
    if spec.shape.rank is None:
        raise Refused("EXPORT_FAILED", f"the number of axes of its input '{name}' is not fixed")
    axes: list[int | None] = spec.shape.as_list()
    return axes


def _convert(model: str, signature: str, file: Path) -> None:
    import tf2onnx.convert

    arguments = ["--saved-model", model, "--signature_def", signature, "--tag", "serve"]
    sys.argv = ["tf2onnx", *arguments, "--opset", str(OPSET), "--output", str(file)]
    try:
        tf2onnx.convert.main()
    except (Exception, SystemExit) as error:  # its errors vary with the operator that it lacks
        raise Refused("EXPORT_FAILED", f"tf2onnx: {_first(error)}") from error


def _parameters(loaded: Any, function: Any) -> int:  # noqa: ANN401
    """Return the number of trained numbers: variables of the model or of its function."""
    variables = getattr(loaded, "trainable_variables", None) or function.trainable_variables
    if not variables:
        variables = function.variables
    return sum(int(one.shape.num_elements() or 0) for one in variables)


def _first(error: BaseException) -> str:
    return (" ".join(str(error).split())[:300] or type(error).__name__).rstrip(".")


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    except Refused as refused:
        problem = {"error": [refused.condition, refused.reason]}
        (Path(sys.argv[3]) / "result.json").write_text(json.dumps(problem), "utf-8")
