"""The settings that Spark's driver sends to a worker as JSON text in the command."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sightline.bundle.calibration import Precision
from sightline.engine.run_scalar import ScalarResult
from sightline.engine.spec import EngineSpec
from sightline.errors import SightlineError
from sightline.worker.protocol_version import PROTOCOL


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A model by its hash, how to run it, and the names of columns.

    Args:
        model_name: For messages.
        model_sha256: Hash of model.json; the worker's bundle must have the same hash.
        model_folder: Absolute, or relative to the root of SparkFiles.
        backend: ``onnx``, ``openvino`` or ``pytorch``.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        allow_code: Whether the bundle may name Python code of any package.
        local: Whether the tasks run on the driver's machine (Spark's local mode).
        engine: Sizes, limits, the decoder, and one worker thread per core of the task.
        content_column: Bulk only.
        error_column: Bulk only.
        result: Result type of the scalar function; for a bulk plan, ``prediction`` or ``features``.
    """

    model_name: str
    model_sha256: str
    model_folder: str
    backend: str
    device: str
    precision: Precision
    allow_code: bool
    local: bool
    engine: EngineSpec
    content_column: str
    error_column: str
    result: ScalarResult

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
                f"the jar speaks protocol {spec.get('protocol')}, this Python package {PROTOCOL}. "
                "Use the jar and the package of one version.",
            )
        result: ScalarResult = spec.get("result", "prediction")
        return WorkerSpec(
            model_name=spec["model"]["name"],
            model_sha256=spec["model"]["sha256"],
            model_folder=spec["model"]["folder"],
            backend=spec["backend"],
            device=spec["device"],
            precision=spec.get("precision", "fp32"),
            allow_code=spec.get("allow_code", False),
            local=spec.get("local", False),
            engine=EngineSpec(
                batch_rows=spec["batch_rows"],
                top_k=None if result == "image_inference" else spec["top_k"],
                max_image_bytes=spec["max_image_bytes"],
                max_image_pixels=spec["max_image_pixels"],
                decoder=spec.get("decoder", "pillow"),
                threads=spec["threads"],
                output="features" if result == "features" else "scores",
            ),
            content_column=spec.get("content_column", "__content"),
            error_column=spec.get("error_column", "__error"),
            result=result,
        )
