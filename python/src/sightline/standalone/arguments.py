"""What `sightline predict` or `sightline features` was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sightline.bundle.calibration import Precision
from sightline.engine.result_type import TopK, Vector
from sightline.engine.spec import EngineSpec
from sightline.source.list_images import ImageSource
from sightline.standalone.part_writer import Format

IfExists = Literal["refuse", "replace"]
OnError = Literal["permissive", "drop", "fail"]


@dataclass(frozen=True, slots=True)
class InferArguments:
    """One run over images, checked as far as that goes without touching anything.

    Args:
        source: Which images, and their labels.
        model: Name or path of a bundle.
        models: Folder where names are looked up first; None for the usual places.
        backend: ``onnx``, ``openvino`` or ``pytorch``.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        threads: Of one operator of the model, at least 1: one where the engine has worker threads.
        allow_code: Whether the bundle may name Python code of any package.
        engine: Sizes, caps, decoder and threads; one thread and batch_rows 1
            to run one image at a time.
        result: Predictions or features.
        output: The folder to make.
        if_exists: What to do where it is there.
        format: Of the part file.
        on_error: Keep rows with errors, leave them out, or end the run at the first.
        max_error_rate: Above this share of the images, 0..1, nothing is published.
        reading: ``ahead`` reads many files before it runs; ``one_by_one`` is what a plain
            loop over the files would do.
    """

    source: ImageSource
    model: str
    models: Path | None
    backend: str
    device: str
    precision: Precision
    threads: int
    allow_code: bool
    engine: EngineSpec
    result: TopK | Vector
    output: Path
    if_exists: IfExists
    format: Format
    on_error: OnError
    max_error_rate: float | None
    reading: Literal["ahead", "one_by_one"]
