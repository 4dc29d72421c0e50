"""CPU time of an image in the engine, against a plain loop and the raw limit: one thread each.

engine_against_loop.py [FOLDER of JPEGs]. By default the photographs of the shared test data
(SIGHTLINE_SHARED, else ../shared), and where there are none, cards that the example draws.
CPU time is user + system time of this process and all its threads: steadier than wall time on
a busy machine. Reading files is not in it: all bytes are in memory before the clock starts.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pyarrow as pa
from PIL import Image
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.preprocess import preprocess
from sightline.engine.run import run
from sightline.engine.spec import EngineSpec

ROOT = Path(__file__).resolve().parent.parent
IMAGES, BATCH_ROWS, ROUNDS = 256, 32, 3


def main() -> None:
    """Measure each shape ROUNDS times, taking turns, and print medians and ratios."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()
    contents = [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))[:IMAGES]]
    if not contents:
        sys.exit(f"NO_IMAGES: {folder} holds no .jpg file.")
    bundle = Bundle.load(ROOT / "models/efficientnet_lite0")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(bundle.read_bytes("model.onnx"), options)
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), threads=1))
    batches = [
        pa.record_batch({"content": pa.array(contents[at : at + BATCH_ROWS], pa.binary())})
        for at in range(0, len(contents), BATCH_ROWS)
    ]
    pixels = np.stack([by_hand(content, bundle) for content in contents])

    def in_batches() -> None:
        for at in range(0, len(pixels), BATCH_ROWS):
            session.run(None, {"images": pixels[at : at + BATCH_ROWS]})

    def loop() -> None:
        for content in contents:
            (logits,) = session.run(None, {"images": by_hand(content, bundle)[None]})
            odds = np.exp(logits[0] - logits[0].max())
            np.argsort(-odds / odds.sum())[:5]

    def engine() -> None:
        for _ in run(batches, model, EngineSpec(batch_rows=BATCH_ROWS), "content", "error"):
            pass

    shapes: dict[str, Callable[[], object]] = {
        "decode and resize, by hand": lambda: (
            [by_hand(content, bundle) for content in contents] and None
        ),
        "onnxruntime on decoded pixels": in_batches,
        "loop, one image at a time": loop,
        "engine": engine,
    }
    in_batches()  # warm
    seconds: dict[str, list[float]] = {name: [] for name in shapes}
    for _ in range(ROUNDS):
        for name, shape in shapes.items():
            start = time.process_time()
            shape()
            seconds[name].append(time.process_time() - start)
    medians = {n: 1000 * statistics.median(s) / len(contents) for n, s in seconds.items()}
    limit = medians["decode and resize, by hand"] + medians["onnxruntime on decoded pixels"]
    print(f"{len(contents)} images, batches of {BATCH_ROWS}, medians of {ROUNDS}")
    for name, value in {**medians, "raw limit: the first two": limit}.items():
        print(f"{name:<32} {value:7.2f} CPU-ms an image  {value / limit:5.2f} x the raw limit")


def by_hand(content: bytes, bundle: Bundle) -> npt.NDArray[np.uint8]:
    """One image as a person would write it: Pillow, then the model's resize and crop."""
    preprocessing = bundle.manifest.preprocessing
    out = np.empty((preprocessing.size.height, preprocessing.size.width, 3), np.uint8)
    preprocess(Image.open(io.BytesIO(content)).convert("RGB"), preprocessing, out)
    return out


def default_folder() -> Path:
    """The shared photographs, else cards drawn now."""
    shared = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared")) / "data/imagenet"
    if shared.is_dir():
        return shared
    cards = ROOT / "build/bench/cards"
    if not cards.is_dir():
        draw = ROOT / "examples/fraud_id/generate.py"
        command: list[str | Path] = [sys.executable, draw, "--output", cards, "--people", "86"]
        subprocess.run(command, check=True)  # noqa: S603 - our own program
    return cards


if __name__ == "__main__":
    main()
