"""The settings that Spark's driver sends to a worker as JSON text in the command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.bundle.calibration import Precision
from sightline.engine.batch_rows import BatchRows
from sightline.engine.result_type import (
    OneResult,
    Probabilities,
    ResultType,
    Several,
    Tensors,
    TopK,
    Vector,
)
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError
from sightline.version import PROTOCOL


@dataclass(frozen=True, slots=True)
class BulkColumns:
    """Names of the columns that a bulk plan sends to the worker.

    Args:
        inputs: For each input of the model's signature, the column with its values.
        error: The column with read errors; a plan may leave it out.
    """

    inputs: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A model with its hash, the settings of its run, and the names of columns.

    Args:
        model_name: Name of the model, for messages.
        model_sha256: Hash of model.json; the worker's bundle must have the same hash.
        model_folder: Absolute, or relative to the root of SparkFiles.
        backend: Name of a backend, such as ``onnx``.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        allow_code: Whether the bundle may name Python code of any package.
        local: Whether the tasks run on the driver's machine (Spark's local mode).
        gpus: The part of a GPU of each task, which limits its memory there; 0: it has none.
        batch_rows: Rows in one batch of the model.
        engine: Limits, decoder and conversion of numbers, with one worker thread per core of the
            task. Its batch size is replaced by `batch_rows`.
        result: The result type.
        columns: The columns of a bulk plan; None for a scalar function.
    """

    model_name: str
    model_sha256: str
    model_folder: str
    backend: str
    device: str
    precision: Precision
    allow_code: bool
    local: bool
    gpus: float
    batch_rows: BatchRows
    engine: EngineSettings
    result: ResultType
    columns: BulkColumns | None

    @staticmethod
    def from_json(text: str) -> WorkerSpec:
        """Parse the driver's JSON text.

        Raises:
            SightlineError: PROTOCOL_MISMATCH if the driver's jar has another protocol version.
        """
        spec = json.loads(text)
        if spec.get("protocol") != PROTOCOL:
            raise SightlineError(
                "PROTOCOL_MISMATCH",
                f"the jar has protocol {spec.get('protocol')}, and this Python package has "
                f"protocol {PROTOCOL}. Use the jar and the package of the same version.",
            )
        model, images, columns = spec["model"], spec["images"], spec.get("columns")
        return WorkerSpec(
            model_name=model["name"],
            model_sha256=model["sha256"],
            model_folder=model["folder"],
            backend=spec["backend"],
            device=spec["device"],
            precision=spec["precision"],
            allow_code=spec["allow_code"],
            local=spec["local"],
            gpus=spec["gpus"],
            batch_rows=spec["batch_rows"],
            engine=EngineSettings(
                max_image_bytes=images["max_bytes"],
                max_image_pixels=images["max_pixels"],
                decoder=images["decoder"],
                threads=spec["threads"],
                casts=spec["casts"],
            ),
            result=_result(spec["result"]),
            columns=columns and BulkColumns(tuple(columns["inputs"]), columns["error"]),
        )


def _result(fields: Mapping[str, Any]) -> ResultType:
    if fields["kind"] == "several":
        return Several(tuple(map(_one_result, fields["results"])))
    return _one_result(fields)


def _one_result(fields: Mapping[str, Any]) -> OneResult:
    kind = fields["kind"]
    if kind == "top_k":
        return TopK(fields["k"])
    if kind == "tensors":
        return Tensors(tuple(fields["outputs"]))
    if kind == "probabilities":
        return Probabilities()
    if kind == "vector":
        return Vector(fields.get("output"))
    raise SightlineError(
        "PROTOCOL_MISMATCH", f"the jar requests a result of the unknown kind '{kind}'."
    )
