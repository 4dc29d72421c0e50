"""Shared code of all contenders except Sightline: Pillow, numpy and onnxruntime only.

It imports nothing of Sightline, so that it runs in the peers' environment and checks Sightline
from outside. Each contender takes the command line `MODEL INPUT ROWS`: a bundle's folder, a folder
of images for those that hold them in memory, and the images in a batch of the model for the tuned
ones: the number with which raw inference is fastest.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

BATCH = 32
# A JPEG is decoded at no less than this multiple of the size it is resized to: the smallest one
# with which 99 % of the labels stay (docs/design.md).
_DRAFT_TIMES = 4
_GAP = 4.0  # the same for a cheap first step of the resize
Job = dict[str, Any]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class Recipe:
    """The ONNX file and the preprocessing of a bundle, read from `model.json`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        manifest = json.loads((Path(folder) / "model.json").read_text("utf-8"))
        self.onnx = str(Path(folder) / manifest["variants"]["onnx"]["file"])
        # Format 2 has them at the input and at the output, format 1 at the top.
        preprocessing = manifest.get("preprocessing") or manifest["inputs"][0]["feed"]
        heads = [output.get("head", {}) for output in manifest["outputs"]]
        found = [head["activation"] for head in heads if head.get("kind") == "classes"]
        self.activation = found[0] if found else manifest["activation"]
        self.mean, self.std = preprocessing["mean"], preprocessing["std"]
        self.resize = preprocessing["resize"]
        self.filter = Image.Resampling[self.resize["interpolation"].upper()]
        size = preprocessing.get("crop") or self.resize
        self.height, self.width = size["height"], size["width"]

    def session(self, threads: int | None) -> ort.InferenceSession:
        """Open a session as in the documentation; None keeps the default number of threads."""
        options = ort.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = options.inter_op_num_threads = threads
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return ort.InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])

    def pixels(self, content: bytes) -> Pixels:
        """Decode an image, resize it and crop its centre; return (height, width, 3) uint8."""
        image = Image.open(io.BytesIO(content)).convert("RGB")
        return self.fitted(image)

    def tuned_pixels(self, content: bytes) -> Pixels:
        """Do the same for less: decode large JPEGs at a reduced size, resize only the crop's box.

        Images of less than 6 times the model's size have the same pixels as in `pixels`.
        """
        image: Image.Image = Image.open(io.BytesIO(content))
        width, height = self.resized(image.size)
        least = (_DRAFT_TIMES * width, _DRAFT_TIMES * height)
        if image.width < 2 * least[0] or image.height < 2 * least[1]:
            return self.fitted(image.convert("RGB"))
        image.draft("RGB", least)
        image = image.convert("RGB")
        left, top = round((width - self.width) / 2), round((height - self.height) / 2)
        x, y = image.width / width, image.height / height
        box = (left * x, top * y, (left + self.width) * x, (top + self.height) * y)
        size = (self.width, self.height)
        return np.asarray(image.resize(size, self.filter, box, reducing_gap=_GAP))

    def fitted(self, image: Image.Image) -> Pixels:
        """Resize a decoded image and crop its centre; return (height, width, 3) uint8."""
        width, height = self.resized(image.size)
        if image.size != (width, height):
            image = image.resize((width, height), self.filter)
        left, top = round((width - self.width) / 2), round((height - self.height) / 2)
        if (width, height) != (self.width, self.height):
            image = image.crop((left, top, left + self.width, top + self.height))
        return np.asarray(image)

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the width and height of a resized image, before its crop."""
        width, height = self.resize["width"], self.resize["height"]
        if self.resize["mode"] == "shortest_edge":
            edge = height
            width, height = edge, int(edge * size[1] / size[0])
            if size[0] > size[1]:
                width, height = int(edge * size[0] / size[1]), edge
        return width, height

    def best(self, output: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return (n,) class ids and (n,) scores for an output of (n, classes)."""
        if self.activation == "softmax":
            output = np.exp(output - output.max(axis=1, keepdims=True))
            output /= output.sum(axis=1, keepdims=True)
        ids = output.argmax(axis=1)
        return ids, output[np.arange(len(ids)), ids]


def infer(
    session: ort.InferenceSession, images: Sequence[Pixels] | Pixels, rows: int | None = None
) -> Floats:
    """Run (n, height, width, 3) uint8 through the model; return (n, classes).

    Args:
        session: The model.
        images: The pixels.
        rows: Images in a batch of the model; None: all at once.
    """
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    step = rows or len(images)
    parts: list[Floats] = [
        session.run([output], {name: np.asarray(images[at : at + step])})[0]
        for at in range(0, len(images), step)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def write(output: str, paths: Sequence[str], ids: Sequence[int], scores: Sequence[float]) -> None:
    """Write predictions as one Parquet file in a new folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(output)
    folder.mkdir(parents=True)
    table = pa.table({"path": paths, "class_id": ids, "score": scores})
    pq.write_table(table, folder / "part-00000.parquet")


def files_of(folder: str) -> list[str]:
    """Return the files of a folder, sorted by name."""
    return sorted(entry.path for entry in os.scandir(folder))


def serve(shapes: dict[str, Callable[[Job], Job | None]]) -> None:
    """Run jobs until standard input ends: one `{"shape": …, "images": n, …}` per line.

    What a shape returns is added to its answer.
    """
    answer({"ready": sorted(shapes)})
    for line in sys.stdin:
        job = json.loads(line)
        try:
            found = shapes[job["shape"]](job)
        except Exception as error:  # noqa: BLE001 - reported to the harness
            traceback.print_exc()
            answer({"error": f"{type(error).__name__}: {error}"})
        else:
            answer({"images": job["images"]} | (found or {}))


def answer(value: Job) -> None:
    """Print one line for the harness."""
    print("@ " + json.dumps(value), flush=True)
