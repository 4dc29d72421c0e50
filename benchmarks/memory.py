"""Measures the peak memory of a worker by the size of the images, with eight worker threads.

    .venv/bin/python benchmarks/memory.py --images ../shared/data/camera --work /tmp/memory \
        --json benchmarks/memory.json --page docs/memory.md

The photographs are written again in several sizes. Each size is read by a new process:

- `predict`: the command without Spark, `sightline predict --threads 8`
- `job`: `predict` of the jar, one Spark task with 8 cores
- `session`: `ml_predict` in a session of Spark's own defaults, from a Parquet table

The result is a table of the peak RSS of the Python process. Its first line is the peak with one
small image: the interpreter, the packages and the model.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from harness.process_tree import ProcessTree, peak_rss_bytes

REPOSITORY = Path(__file__).resolve().parent.parent
JAR = REPOSITORY / "dist" / "sightline.jar"
BIN = Path(sys.executable).parent
MIB = 2**20
# Bytes of an image: thumbnails, photographs of the web, of phones, and of cameras.
SIZES = (50_000, 500_000, 2_000_000, 5_000_000, 12_000_000)
TOTAL_BYTES, MOST_IMAGES = 300_000_000, 1024
_BYTES_PER_PIXEL = 0.3  # of a JPEG of a camera
_PAGE = """# Memory by the size of the images

<!-- Written by benchmarks/memory.py. -->

The peak memory (RSS) of a Python worker with {threads} worker threads and the model `{model}`. The
first line has one small image: it is the interpreter, the packages and the model. The others have
photographs in several sizes, all made from the same ones. [images.md](images.md#limits) lists the
limits that keep the memory bounded.

{table}

- `predict` is the command without Spark.
- `job` is `predict` of the jar, from a folder, with one task of {threads} cores.
- `session` is `ml_predict` over a Parquet table in a session with Spark's own settings.
- One image may exceed a limit, and is then processed alone.

`benchmarks/memory.py` measures it again.
"""
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Images:
    """A folder of JPEGs of about one size.

    Attributes:
        folder: Their folder.
        count: How many there are.
        mean_bytes: Their mean size.
        megapixels: Their mean number of pixels in millions.
    """

    folder: Path
    count: int
    mean_bytes: float
    megapixels: float


def main() -> int:
    """Measure, print a table, and write the figures as JSON."""
    arguments = _arguments()
    base = arguments.work / "base"
    ways: dict[str, Callable[[Images, Path], float]] = {
        "predict": lambda images, output: _standalone(arguments, images, output),
        "job": lambda images, output: _job(arguments, images, output),
        "session": lambda images, output: _session(arguments, images, output),
    }
    sets = [_write_images(arguments.images, base / "one", 20_000, most=1)]
    sets += [_write_images(arguments.images, base / str(size), size) for size in arguments.sizes]
    record = []
    for images in sets:
        row: dict[str, float] = {
            "images": images.count,
            "kilobytes": round(images.mean_bytes / 1000),
            "megapixels": round(images.megapixels, 1),
        }
        for name in arguments.ways:
            output = arguments.work / "output"
            shutil.rmtree(output, ignore_errors=True)
            row[name] = round(ways[name](images, output) / MIB)
            print(f"{images.folder.name} {name}: {row[name]} MiB", file=sys.stderr, flush=True)
        record.append(row)
        if arguments.json:  # what was measured is kept if a later size fails
            arguments.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    table = "\n".join(_table(record, arguments.ways))
    print(table)
    if arguments.page:
        text = _PAGE.format(
            table=table, threads=arguments.threads, model=Path(arguments.model).name
        )
        arguments.page.write_text(text, "utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--model", default="efficientnet_lite0", help="name or path of a bundle")
    parser.add_argument("--work", type=Path, required=True, help="folder for files of the run")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="bytes of an image")
    parser.add_argument("--ways", nargs="+", default=["predict", "job", "session"])
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--page", type=Path, help="page for the table")
    return parser.parse_args()


def _write_images(source: Path, folder: Path, size: int, most: int = MOST_IMAGES) -> Images:
    """Write JPEGs of about `size` bytes. The files are links to one of each photograph."""
    count = min(most, MOST_IMAGES, max(1, TOTAL_BYTES // size))
    found = sorted(source.glob("*.jpg"))[:count]
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "of_each").mkdir(parents=True)
        (folder / "images").mkdir()
        for at, file in enumerate(found):
            (folder / "of_each" / f"{at}.jpg").write_bytes(_encode(file, size))
        for at in range(count):
            original = folder / "of_each" / f"{at % len(found)}.jpg"
            (folder / "images" / f"{at:05}.jpg").hardlink_to(original)
        (folder / "done").touch()
    written = [folder / "of_each" / f"{at}.jpg" for at in range(len(found))]
    pixels = 0
    for file in written:
        with Image.open(file) as image:
            pixels += image.width * image.height
    sizes = [file.stat().st_size for file in written]
    return Images(folder, count, sum(sizes) / len(sizes), pixels / len(sizes) / 1e6)


def _encode(file: Path, size: int) -> bytes:
    """Return the photograph as a JPEG of about `size` bytes, with at most its own pixels."""
    with Image.open(file) as opened:
        progressive = bool(opened.info.get("progressive"))
        image = opened.convert("RGB")
    scale = min(1.0, (size / _BYTES_PER_PIXEL / (image.width * image.height)) ** 0.5)
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    written = b""
    for quality, subsampling in ((75, 2), (85, 2), (92, 2), (95, 2), (97, 2), (98, 0), (100, 0)):
        buffer = io.BytesIO()
        image.save(
            buffer, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive
        )
        written = buffer.getvalue()
        if len(written) >= size:
            break
    return written


def _standalone(arguments: argparse.Namespace, images: Images, output: Path) -> float:
    given = ["--images", str(images.folder / "images"), "--model", arguments.model]
    threads = ["--threads", str(arguments.threads)]
    command = [sys.executable, "-m", "sightline", "predict", *given, "--output", str(output)]
    return _peak([*command, *threads], arguments.work / "predict.log", lambda _: True)


def _job(arguments: argparse.Namespace, images: Images, output: Path) -> float:
    given = ["--images", str(images.folder / "images"), "--model", arguments.model]
    threads = arguments.threads
    submit = [str(BIN / "spark-submit"), "--master", f"local[{threads}]"]
    settings = ["--conf", f"spark.task.cpus={threads}", "--conf", "spark.ui.enabled=false"]
    settings += ["--driver-memory", "2g"]
    command = [*submit, *settings, str(JAR), "predict", *given, "--output", str(output)]
    return _peak(command, arguments.work / "job.log", _is_worker)


def _session(arguments: argparse.Namespace, images: Images, output: Path) -> float:
    table = images.folder / "table"
    if not table.exists():
        _write_table(images, table)
    program = [sys.executable, __file__.replace("memory.py", "memory_session.py")]
    command = [*program, str(JAR), str(table), arguments.model, str(output)]
    return _peak([*command, str(arguments.threads)], arguments.work / "session.log", _is_worker)


def _write_table(images: Images, table: Path) -> None:
    """Write the images as one Parquet file with the row groups of `pack-images` (8 MB)."""
    import pyarrow as pa
    from pyarrow import parquet

    files = sorted((images.folder / "images").glob("*.jpg"))
    table.mkdir()
    fields: list[tuple[str, pa.DataType]] = [("path", pa.string()), ("content", pa.binary())]
    schema = pa.schema(fields)
    with parquet.ParquetWriter(table / "part-0.parquet", schema, compression="none") as writer:
        for group in _groups(files, 8_000_000):
            contents = [file.read_bytes() for file in group]
            names = [file.name for file in group]
            writer.write_batch(
                pa.RecordBatch.from_pydict({"path": names, "content": contents}, schema=schema)
            )


def _groups(files: Iterable[Path], most_bytes: int) -> Iterator[list[Path]]:
    group: list[Path] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.stat().st_size
        if size >= most_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def _peak(command: list[str], log: Path, counts: Callable[[psutil.Process], bool]) -> float:
    """Run a command and return the largest peak RSS of its processes, in bytes.

    Args:
        command: The command; it must end with status 0.
        log: File for its output.
        counts: Whether a process is one to measure.
    """
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "python" / "src")}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    environment.setdefault("PYSPARK_PYTHON", sys.executable)
    peak = 0.0
    with log.open("w", encoding="utf-8") as stream:
        process = psutil.Popen(command, stdout=stream, stderr=stream, env=environment)
        tree = ProcessTree(process.pid)
        while process.poll() is None:
            for one in tree.processes():
                try:
                    peak = max(peak, peak_rss_bytes(one)) if counts(one) else peak
                except psutil.Error:
                    continue  # it has ended
            time.sleep(_SAMPLE_SECONDS)
    if process.returncode != 0:
        message = f"{' '.join(command)} ended with status {process.returncode}; see {log}"
        raise RuntimeError(message)
    return peak


def _is_worker(process: psutil.Process) -> bool:
    """Whether it is a Python worker of Spark: a child of Spark's daemon."""
    return "pyspark.daemon" in " ".join(process.cmdline())


def _table(record: list[dict[str, float]], ways: list[str]) -> list[str]:
    header = "| images | kB for an image | megapixels | " + " | ".join(
        f"`{way}`, MiB" for way in ways
    )
    lines = [f"{header} |", "|" + "---|" * (3 + len(ways))]
    for row in record:
        cells = [row["images"], row["kilobytes"], row["megapixels"], *(row[way] for way in ways)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
