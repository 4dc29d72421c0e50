"""The engine limits the bytes of encoded images, of pixels and of waiting columns."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.bundle.bundle import Bundle
from sightline.engine.feeds import image_feed
from sightline.engine.feeds.image_feed import DECODED_BYTES, DecodeMemory
from sightline.engine.make_feeds_and_heads import open_feeds
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError

MEBIBYTE = 2**20

PROGRAM = """
import io, json, os, sys
import pyarrow as pa
from PIL import Image
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import TopK
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

bundle = Bundle.load(sys.argv[1])
model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
buffer = io.BytesIO()
Image.new("RGB", (1320, 1320), "green").save(buffer, "BMP")
image = buffer.getvalue()  # 5.2 MB

def batches():
    for at in range(0, 240, 4):
        columns = {"id": pa.array(range(at, at + 4)), "__content": pa.array([image] * 4)}
        if sys.argv[2] == "columns":
            # Every 20th row has an image; the others wait for it, with 5 MB each.
            has_image = [(at + i) % 20 == 0 for i in range(4)]
            columns["__content"] = pa.array([image if has else None for has in has_image])
            columns["scan"] = pa.array([image] * 4)
        yield pa.RecordBatch.from_pydict(columns)

spec = EngineSettings(threads=int(sys.argv[3]))
ids, labels = [], set()
for batch in run(batches(), model, spec, TopK(5), ["__content"], "__error"):
    ids += batch.column("id").to_pylist()
    labels |= set(batch.column("label").to_pylist())
print(json.dumps([ids, sorted(map(str, labels)), pa.default_memory_pool().max_memory()]))
"""


def run_apart(bundle: Path, what: str, threads: int) -> tuple[list[int], list[str], float]:
    """The resulting ids and labels, and the peak of the Arrow buffers in MiB."""
    command = [sys.executable, "-c", PROGRAM, str(bundle), what, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    ids, labels, most = json.loads(done.stdout)
    return ids, labels, most / MEBIBYTE


@pytest.mark.parametrize(("threads", "most_mib"), [(1, 80), (8, 200)])
def test_waiting_large_images_are_limited_by_bytes(
    colour_bundle: Path, threads: int, most_mib: int
) -> None:
    # 240 images of 5.2 MB: a model batch of 32 would have 166 MB, and eight threads two each. The
    # record batches of this test have 21 MB.
    ids, labels, most = run_apart(colour_bundle, "images", threads)
    assert ids == list(range(240))
    assert labels == ["green"]
    assert most < most_mib


def test_waiting_columns_are_limited_by_bytes(colour_bundle: Path) -> None:
    # Without a limit all 1,200 MB would wait until the first model batch is full.
    ids, labels, most = run_apart(colour_bundle, "columns", 1)
    assert ids == list(range(240))
    assert labels == ["None", "green"]
    assert most < 200


PHOTOGRAPHS = """
import ctypes, io, json, sys
import numpy as np
import pyarrow as pa
from PIL import Image
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.freed_memory import limit_freed_memory
from sightline.engine.model import Model
from sightline.engine.result_type import TopK
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

limit_freed_memory()
bundle = Bundle.load(sys.argv[1])
model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
side = int(sys.argv[2])
pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
buffer = io.BytesIO()
Image.fromarray(pixels).save(buffer, "JPEG", quality=90, progressive=True)
image = buffer.getvalue()
del pixels, buffer

def batches(count):
    rows = max(1, 2**23 // len(image))  # record batches of 8 MiB
    for at in range(0, count, rows):
        yield pa.RecordBatch.from_pydict({"__content": pa.array([image] * min(rows, count - at))})

def results(count, spec):
    found = run(batches(count), model, spec, TopK(1), ["__content"], "__error")
    return [error for batch in found for error in batch.column("error").to_pylist()]

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024

def heaps(file):
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fopen(file.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    with open(file) as opened:
        return opened.read().count("<heap nr=")

with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak of making the image is forgotten
before = peak()
errors = results(int(sys.argv[3]), EngineSettings(batch_rows=2, threads=8))
print(json.dumps([len(image) / 1e6, errors, peak() - before, heaps(sys.argv[4])]))
"""


@pytest.mark.parametrize(("side", "count", "megabytes"), [(600, 600, 0.3), (2400, 40, 5)])
def test_eight_threads_need_less_than_400_mib_for_images_of_any_size(
    colour_bundle: Path, tmp_path: Path, side: int, count: int, megabytes: float
) -> None:
    arguments = [str(colour_bundle), str(side), str(count), str(tmp_path / "heaps.xml")]
    command = [sys.executable, "-c", PHOTOGRAPHS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    size, errors, more, heaps = json.loads(done.stdout)
    assert size == pytest.approx(megabytes, rel=0.3)
    assert errors == [None] * count
    assert more < 400
    assert heaps <= 2  # malloc's own limit is eight for each core


FAILING = """
import io, resource, sys
from pathlib import Path
import pyarrow as pa
from PIL import Image
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import TopK
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

bundle = Bundle.load(sys.argv[1])
model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
contents = []
for side in (10, 6000):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "green").save(buffer, "JPEG", progressive=True)
    contents.append(buffer.getvalue())
batches = [pa.RecordBatch.from_pydict({"__content": pa.array([one])}) for one in contents]
spec = EngineSettings(batch_rows=1, threads=int(sys.argv[2]))
list(run(batches[:1] * 4, model, spec, TopK(5), ["__content"], "__error"))  # starts threads
lines = Path("/proc/self/status").read_text().splitlines()
used = next(int(line.split()[1]) for line in lines if line.startswith("VmSize")) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 40 * 2**20, -1))
for batch in run(batches, model, spec, TopK(5), ["__content"], "__error"):
    print(batch.to_pylist())
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_running_out_of_memory_stops_the_task_and_gives_no_row(
    colour_bundle: Path, threads: int
) -> None:
    command = [sys.executable, "-c", FAILING, str(colour_bundle), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert "OUT_OF_MEMORY: decoding an image (there is no memory for 293625000 bytes" in done.stderr
    assert "Give each worker more memory, or use fewer threads" in done.stderr
    assert "CORRUPT" not in done.stdout


def test_images_are_decoded_together_only_while_their_pixels_fit() -> None:
    memory = DecodeMemory(max_bytes=100)
    together: list[int] = []
    at_once = 0
    lock = threading.Lock()

    def decode_one(size: int) -> None:
        nonlocal at_once
        for _ in range(200):
            with memory.one_image() as reserve:
                reserve(size)
                with lock:
                    at_once += size
                    together.append(at_once)
                with lock:
                    at_once -= size

    threads = [threading.Thread(target=decode_one, args=[size]) for size in (10, 30, 60, 60, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(together) == 1000  # all of them ran, also the one of 500
    assert max(size for size in together if size != 500) <= 100


def test_a_failed_image_frees_its_reserved_memory() -> None:
    memory = DecodeMemory(max_bytes=100)

    def fail() -> None:
        with memory.one_image() as reserve:
            reserve(90)
            raise OSError("broken")

    for _ in range(3):
        with pytest.raises(OSError, match="broken"):
            fail()
    with memory.one_image() as reserve:
        reserve(100)


def test_the_image_inputs_of_a_model_share_one_limit(
    colour_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.load(colour_bundle)
    signature = bundle.manifest.signature
    inputs = tuple(
        replace(signature.inputs[0], tensor=replace(signature.inputs[0].tensor, name=name))
        for name in ("front", "back")
    )
    manifest = replace(bundle.manifest, signature=replace(signature, inputs=inputs))
    feeds = open_feeds(replace(bundle, manifest=manifest), EngineSettings())
    together: list[int] = []
    at_once = 0
    lock = threading.Lock()

    def decode_picture(*given: Any) -> RowError:  # noqa: ANN401
        nonlocal at_once
        given[-1](DECODED_BYTES)
        with lock:
            at_once += 1
            together.append(at_once)
        time.sleep(0.2)
        with lock:
            at_once -= 1
        return RowError("CORRUPT", "decode", "no image")

    monkeypatch.setattr(image_feed, "decode_picture", decode_picture)
    out = np.empty((8, 8, 3), np.uint8)
    threads = [threading.Thread(target=feed.write, args=[b"", out]) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert together == [1, 1]
