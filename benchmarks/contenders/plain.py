"""Shared code of all contenders except Sightline: Pillow, numpy and onnxruntime only.

It imports nothing of Sightline, so that it runs in the peers' environment and checks Sightline
from outside. Each contender takes the command line `MODEL INPUT`: a bundle's folder, and a folder
of images for those that hold them in memory.
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

    def fitted(self, image: Image.Image) -> Pixels:
        """Resize a decoded image and crop its centre; return (height, width, 3) uint8."""
        width, height = self.resize["width"], self.resize["height"]
        if self.resize["mode"] == "shortest_edge":
            edge = height
            width, height = edge, int(edge * image.height / image.width)
            if image.width > image.height:
                width, height = int(edge * image.width / image.height), edge
        if image.size != (width, height):
            image = image.resize((width, height), self.filter)
        left, top = round((width - self.width) / 2), round((height - self.height) / 2)
        if (width, height) != (self.width, self.height):
            image = image.crop((left, top, left + self.width, top + self.height))
        return np.asarray(image)

    def best(self, output: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return (n,) class ids and (n,) scores for an output of (n, classes)."""
        if self.activation == "softmax":
            output = np.exp(output - output.max(axis=1, keepdims=True))
            output /= output.sum(axis=1, keepdims=True)
        ids = output.argmax(axis=1)
        return ids, output[np.arange(len(ids)), ids]


def infer(session: ort.InferenceSession, images: Sequence[Pixels] | Pixels) -> Floats:
    """Run (n, height, width, 3) uint8 through the model; return (n, classes)."""
    name = session.get_inputs()[0].name
    output: Floats = session.run([session.get_outputs()[0].name], {name: np.asarray(images)})[0]
    return output


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


def serve(shapes: dict[str, Callable[[Job], None]]) -> None:
    """Run jobs until standard input ends: one `{"shape": …, "images": n, …}` per line."""
    answer({"ready": sorted(shapes)})
    for line in sys.stdin:
        job = json.loads(line)
        try:
            shapes[job["shape"]](job)
        except Exception as error:  # noqa: BLE001 - reported to the harness
            traceback.print_exc()
            answer({"error": f"{type(error).__name__}: {error}"})
        else:
            answer({"images": job["images"]})


def answer(value: Job) -> None:
    """Print one line for the harness."""
    print("@ " + json.dumps(value), flush=True)
