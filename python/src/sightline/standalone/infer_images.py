"""Predict images, or compute their features, in one process without Spark."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from sightline.backends.cache import open_session
from sightline.backends.device import resolve_device
from sightline.backends.require_supported import require_precision, require_variant
from sightline.bundle.calibration import Precision
from sightline.bundle.find import find_bundle
from sightline.engine.batch_rows import BatchRows, batch_rows_for
from sightline.engine.freed_memory import limit_freed_memory
from sightline.engine.make_feeds_and_heads import open_heads
from sightline.engine.model import Model
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.engine.result_type import TopK, Vector
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError
from sightline.publish import check_output, publish_folder, require_replaceable
from sightline.source.list_images import ImageSource, list_images
from sightline.source.listing import Listing
from sightline.source.read_images import CONTENT, ERROR, READ_BYTES, READ_ROWS, read_images
from sightline.source.split import SPLIT, with_file_columns
from sightline.standalone.part_writer import Format, open_part
from sightline.standalone.run_record import write_run_record
from sightline.standalone.tally import Tally

PREDICTION = "prediction"
FEATURES = "features"
IfExists = Literal["refuse", "replace"]
OnError = Literal["permissive", "drop", "fail"]


@dataclass(frozen=True, slots=True)
class InferArguments:
    """Arguments of one run over images.

    Args:
        source: The images and their labels.
        model: Name of a model, or path of its bundle.
        models: Folder to search first for the model's name; None for the default folders.
        backend: ``onnx``, ``openvino`` or ``pytorch``.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        threads: Threads within one operator of the model, at least 1.
        allow_code: Whether the bundle may run Python code from any package.
        batch_rows: Images that the model processes at once.
        engine: Limits, decoder and worker threads. Its batch size is replaced by `batch_rows`.
        result: Predictions or features.
        output: The folder to write.
        if_exists: Whether an existing output is an error or is replaced.
        format: File format of the output.
        on_error: For rows with errors: keep them, drop them, or fail the run at the first.
        max_error_rate: Share of the images, 0..1; with more errors nothing is published.
        reading: ``ahead`` reads a batch of files before it runs the model; ``one_by_one`` reads
            and infers one file after the other.
    """

    source: ImageSource
    model: str
    models: Path | None
    backend: str
    device: str
    precision: Precision
    threads: int
    allow_code: bool
    batch_rows: BatchRows
    engine: EngineSettings
    result: TopK | Vector
    output: Path
    if_exists: IfExists
    format: Format
    on_error: OnError
    max_error_rate: float | None
    reading: Literal["ahead", "one_by_one"]


def infer_images(arguments: InferArguments) -> Tally:
    """Run a model over images and publish the result; progress goes to stderr.

    Returns:
        The counts and times of the run.

    Raises:
        WrongUseError: If an argument is wrong, before the first image is opened.
        SightlineError: IMAGE_FAILED, MAX_ERROR_RATE_EXCEEDED, DEVICE_UNAVAILABLE or MODEL_FAILED.
            Nothing is published then.
    """
    started = time.time()
    quiet_decoders()
    limit_freed_memory()
    overwrite = arguments.if_exists == "replace"
    bundle = find_bundle(arguments.model, arguments.models)
    known = (arguments.source.images, arguments.source.root, arguments.models, bundle.path)
    reads = [path for path in known if path is not None]
    exists = check_output(arguments.output, reads, overwrite=overwrite)
    bundle.manifest.signature.require_image(bundle.name)
    require_variant(bundle, arguments.backend)
    require_precision(bundle, arguments.backend, arguments.precision)
    device = resolve_device(arguments.device, arguments.backend, None)
    rows = batch_rows_for(arguments.batch_rows, bundle.manifest, arguments.backend, device)
    arguments = replace(arguments, engine=replace(arguments.engine, batch_rows=rows))
    tally = Tally(bundle, device, started)
    clock = _Clock(tally.seconds)
    listing = list_images(arguments.source)
    if overwrite:
        require_replaceable(arguments.output, listing.files if listing.read is None else [])
    if isinstance(arguments.result, Vector):
        listing = with_file_columns(listing)
        splits = listing.table.column(SPLIT).to_pylist()
        tally.splits = Counter(split or "none" for split in splits)
    tally.left_out = listing.left_out
    if listing.root is None:
        root = arguments.source.root or Path(arguments.source.images).parent
        tally.images_root = str(root.absolute())
    clock.stop("list")
    session = open_session(
        bundle,
        arguments.backend,
        device,
        arguments.threads,
        precision=arguments.precision,
        allow_code=arguments.allow_code,
    )
    model = Model(bundle, session)
    # Fail before the first image is opened if the labels are damaged or there are no features.
    open_heads(bundle, arguments.result)
    classes = bundle.labels if bundle.manifest.signature.classes else ()
    clock.stop("load")
    with publish_folder(arguments.output, exists, settled=True) as folder:
        _infer(arguments, listing, model, classes, tally, folder)
        _check_error_rate(arguments, tally)
        write_run_record(folder, arguments, tally)
    return tally


class _Clock:
    """Measures the time of stages: `stop` adds the time since the last stop to a stage."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._last
        self._last = now


def _infer(
    arguments: InferArguments,
    listing: Listing,
    model: Model,
    classes: Sequence[str],
    tally: Tally,
    folder: Path,
) -> None:
    rows = READ_ROWS if arguments.reading == "ahead" else 1
    batches = read_images(listing, arguments.engine.max_image_bytes, rows, READ_BYTES)
    clock = _Clock(tally.seconds)
    names = frozenset(classes)
    writer = None
    with tqdm(total=len(listing), unit=" images", disable=None, mininterval=0.5) as progress:
        results = run(
            batches,
            model,
            arguments.engine,
            arguments.result,
            [CONTENT],
            ERROR,
            tally.counters,
        )
        for batch in map(_nested, results):
            clock.stop("infer")
            if writer is None:
                writer = open_part(folder, arguments.format, batch.schema)
            _count(batch, tally, classes, names)
            writer.write(_rows_to_keep(batch, arguments))
            progress.update(batch.num_rows)
            progress.set_postfix(errors=tally.images - tally.predicted, refresh=False)
            clock.stop("write")
    if writer is not None:
        writer.close()
    clock.stop("write")


def _nested(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Replace the columns label, class_id, score and top_k by a struct column ``prediction``.

    They are the last four before ``error``; an earlier column ``label`` is the true label.
    """
    if batch.schema.names[-2] == FEATURES:
        return batch
    fields = [batch.schema.field(i) for i in range(batch.num_columns)]
    prediction = pa.StructArray.from_arrays(
        batch.columns[-5:-1],
        fields=fields[-5:-1],
        mask=batch.column(batch.num_columns - 5).is_null(),
    )
    return pa.RecordBatch.from_arrays(
        [*batch.columns[:-5], prediction, batch.columns[-1]],
        schema=pa.schema([*fields[:-5], pa.field(PREDICTION, prediction.type), fields[-1]]),
    )


def _count(
    batch: pa.RecordBatch, tally: Tally, classes: Sequence[str], names: frozenset[str]
) -> None:
    tally.images += batch.num_rows
    tally.predicted += batch.column("error").null_count
    tally.labels.add(batch.column("label"), batch.column("label_id"), names, len(classes))
    for entry in pc.value_counts(pc.struct_field(batch.column("error"), "code")).to_pylist():
        if entry["values"] is not None:
            tally.errors[entry["values"]] = tally.errors.get(entry["values"], 0) + entry["counts"]


def _rows_to_keep(batch: pa.RecordBatch, arguments: InferArguments) -> pa.RecordBatch:
    error = batch.column("error")
    if arguments.on_error == "permissive" or error.null_count == batch.num_rows:
        return batch
    if arguments.on_error == "drop":
        return batch.filter(error.is_null())
    row = np.flatnonzero(np.asarray(error.is_valid()))[0].item()
    what = error[row].as_py()
    raise SightlineError(
        "IMAGE_FAILED",
        f"{batch.column('path')[row].as_py()}: {what['code']} ({what['stage']}): "
        f"{what['message']} Nothing was published. Use --on-error permissive to keep such rows.",
    )


def _check_error_rate(arguments: InferArguments, tally: Tally) -> None:
    failed = tally.images - tally.predicted
    if arguments.max_error_rate is not None and failed > arguments.max_error_rate * tally.images:
        kinds = ", ".join(f"{code} {count}" for code, count in sorted(tally.errors.items()))
        raise SightlineError(
            "MAX_ERROR_RATE_EXCEEDED",
            f"{failed} of {tally.images} images failed ({kinds}), more than the share of "
            f"{arguments.max_error_rate:g} that --max-error-rate allows. Nothing was published.",
        )
