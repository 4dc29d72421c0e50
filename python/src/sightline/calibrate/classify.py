"""Classify all images of a listing in one mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.calibrate.calibrated_mode import CalibratedMode
from sightline.engine.batch_rows import AUTO, batch_rows_for
from sightline.engine.counters import Counters
from sightline.engine.model import Model
from sightline.engine.result_type import TopK
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings
from sightline.source.listing import LABEL, LABEL_ID, Listing
from sightline.source.read_images import CONTENT, ERROR, READ_BYTES, READ_ROWS, read_images

NO_CLASS = -1

ClassIds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a listing's images, and the CPU time of the run.

    Args:
        found: (rows,) predicted class ids; NO_CLASS for an image that could not be read.
        true: (rows,) true class ids; NO_CLASS if unknown.
        infer_cpu_ms: CPU time of the model for one image, in milliseconds.
        decode_cpu_ms: CPU time of decoding and resizing one image, in milliseconds.
    """

    found: ClassIds
    true: ClassIds
    infer_cpu_ms: float
    decode_cpu_ms: float


def classify(
    bundle: Bundle, mode: CalibratedMode, listing: Listing, *, allow_code: bool
) -> Classes:
    """Run the engine as `predict` does, on one core; progress goes to stderr.

    Raises:
        WrongUseError: As for `open_session`.
        SightlineError: MODEL_FAILED or MODEL_OUTPUT.
    """
    session = open_session(
        bundle,
        mode.backend,
        Device("cpu"),
        1,
        precision=mode.precision,
        allow_code=allow_code,
    )
    rows = batch_rows_for(AUTO, bundle.manifest, mode.backend, Device("cpu"))
    spec = EngineSettings(rows)
    counters = Counters()
    ids = {label: at for at, label in reversed(list(enumerate(bundle.labels)))}
    found: list[int] = []
    true: list[int] = []
    batches = read_images(listing, spec.max_image_bytes, READ_ROWS, READ_BYTES)
    with tqdm(total=len(listing), unit=" images", desc=str(mode), disable=None) as progress:
        model = Model(bundle, session)
        for batch in run(batches, model, spec, TopK(1), [CONTENT], ERROR, counters):
            # Columns of the input may have the same names as result columns. Results come last.
            *_, class_id, _, _, _ = batch.columns
            found += np.asarray(class_id.fill_null(NO_CLASS)).tolist()
            at_label, at_id = map(batch.schema.names.index, (LABEL, LABEL_ID))
            names = batch.column(at_label).to_pylist()
            given = batch.column(at_id).to_pylist()
            true += [
                ids.get(str(name), NO_CLASS) if at is None else at
                for name, at in zip(names, given, strict=True)
            ]
            progress.update(batch.num_rows)
    rows = max(1, sum(one != NO_CLASS for one in found))
    return Classes(
        np.array(found, np.int64),
        np.array(true, np.int64),
        counters.infer_cpu_s / rows * 1000,
        counters.decode_cpu_s / rows * 1000,
    )
