"""The contenders of the benchmark, and the request that each sends to its program."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import WrongUseError
from harness.inputs import Inputs


@dataclass(frozen=True)
class Job:
    """Images to classify, and the place of the predictions.

    Args:
        inputs: The images.
        output: Folder to create.
        model: Folder of the bundle.
        scratch: Folder for files that a request needs, such as SQL.
    """

    inputs: Inputs
    output: Path
    model: Path
    scratch: Path


@dataclass(frozen=True)
class Contender:
    """One row of the benchmark: a program and a way to use it.

    Args:
        name: On the command line: ``spark-parquet``.
        title: In tables.
        family: ``raw``, ``loop``, ``sightline`` or ``peer``.
        program: Name of the program in `programs`. Contenders of one program share its process.
        request: Makes the line that the program reads for a job.
        labels: ``exact``: labels and scores must equal those of raw inference. ``alike``: the
            share of equal labels is reported. ``none``: the contender gives no labels.
        documented: ``tuned``, or ``documented``: as the tool's documentation does it.
        share: Share of the regime's images in a job; slow and secondary contenders get fewer.
        cold: Whether a cold start is measured too.
        regimes: Where the contender takes part.
        decoder: ``exact``: whole JPEGs; ``fast``: large JPEGs are decoded at a reduced size,
            which changes pixels; or a name.
        precision: Numeric precision of the model.
    """

    name: str
    title: str
    family: Literal["raw", "loop", "sightline", "peer"]
    program: str
    request: Callable[[Job], str]
    labels: Literal["exact", "alike", "none"] = "exact"
    documented: Literal["tuned", "documented"] = "tuned"
    share: float = 1.0
    cold: Literal["cold", "warm only"] = "warm only"
    regimes: tuple[str, ...] = ("heavy", "light")
    decoder: str = "exact"
    precision: str = "fp32"

    def labels_in(self, regime: str) -> Literal["exact", "alike", "none"]:
        """Return what is expected of the labels: large images are decoded at a reduced size."""
        reduced = self.decoder == "fast" and regime in LARGE_IMAGES
        return "alike" if self.labels == "exact" and reduced else self.labels


LARGE_IMAGES = ("camera",)
_ALL = ("heavy", "light", "camera", "resnet50")
_SECONDARY = 0.3  # share of a regime's images for contenders whose bounds are far away
_HALF = 0.5  # for reduced precision, which costs less and whose bound is far away
_SLOW = 0.1  # for contenders that take several times as long


def shape(name: str) -> Callable[[Job], str]:
    """Return a request for one of the shapes of a script in benchmarks/contenders."""

    def request(job: Job) -> str:
        inputs = job.inputs
        paths = {"folder": inputs.folder, "packed": inputs.packed, "paths": inputs.paths}
        values = {"shape": name, "images": inputs.images, "output": str(job.output)}
        return json.dumps(values | {key: str(path) for key, path in paths.items()})

    return request


def engine(job: Job) -> str:
    """Return the request for `sightline predict`, without Spark."""
    values = {"shape": "engine", "images": job.inputs.images}
    return json.dumps(values | {"arguments": ["predict", *_predict(job, job.inputs.folder)]})


def predict(source: Literal["packed", "folder"], *options: str) -> Callable[[Job], str]:
    """Return a request for the jar's `predict` over that form of the images."""

    def request(job: Job) -> str:
        return shlex.join(["predict", *_predict(job, getattr(job.inputs, source)), *options])

    return request


def sql(template: str) -> Callable[[Job], str]:
    """Return a request for the jar's `sql`; the statements are written to a file."""

    def request(job: Job) -> str:
        file = job.scratch / f"{job.output.name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = {
            "output": job.output,
            "paths": job.inputs.paths,
            "packed": job.inputs.packed,
            "model": job.model,
        }
        statements = template
        for name, value in values.items():
            statements = statements.replace(f"${{{name}}}", str(value))
        file.write_text(statements, "utf-8")
        return shlex.join(["sql", "--file", str(file), "--set", f"{_SQL_MODEL}={job.model}"])

    return request


def _predict(job: Job, images: Path) -> list[str]:
    model, output = str(job.model), str(job.output)
    return ["--images", str(images), "--model", model, "--output", output, "--labels", "none"]


_SQL_MODEL = "spark.sightline.imageModel"
# A table of paths is too small for Spark to split it: REPARTITION gives every core some rows.
_FUNCTION = """INSERT OVERWRITE DIRECTORY '${output}' USING parquet
SELECT path, result.class_id, result.confidence
FROM (
  SELECT path, get_image_inference_udf(path, 'onnx') AS result
  FROM (SELECT /*+ REPARTITION(8) */ path FROM parquet.`${paths}`)
);
"""
_TABLE_FUNCTION = """CREATE OR REPLACE TEMPORARY VIEW packed AS SELECT * FROM parquet.`${packed}`;
INSERT OVERWRITE DIRECTORY '${output}' USING parquet
SELECT path, prediction FROM ml_predict(TABLE(packed), '${model}');
"""
_BF16 = ("--backend", "openvino", "--precision", "bf16")
_INT8 = ("--precision", "int8")

CONTENDERS = (
    Contender(
        "raw-inference", "Raw inference: onnxruntime, pixels in memory", "raw", "parts",
        shape("raw-inference"), regimes=_ALL,
    ),
    Contender(
        "raw-inference-32", "The same in batches of 32", "raw", "parts",
        shape("raw-inference-32"), regimes=("heavy",),
    ),
    Contender(
        "raw-decode", "Raw decoding: Pillow and resize, bytes in memory", "raw", "parts",
        shape("raw-decode"), labels="none", regimes=_ALL,
    ),
    Contender(
        "raw-decode-scaled", "The same with Image.draft, resized by box", "raw", "parts",
        shape("raw-decode-scaled"), labels="none", regimes=("camera",), decoder="fast",
    ),
    Contender(
        "loop", "Loop of a notebook, one image at a time", "loop", "parts", shape("loop"),
        documented="documented", share=_SECONDARY, cold="cold",
        regimes=("heavy", "light", "camera"),
    ),
    Contender(
        "loop-tuned", "Loop in a process for each core, one thread each", "loop", "parts",
        shape("loop-tuned"), share=_SECONDARY, regimes=_ALL, decoder="fast",
    ),
    Contender(
        "engine", "`sightline predict`, no Spark, folder", "sightline", "engine", engine,
        cold="cold", regimes=("heavy", "light", "camera"), decoder="fast",
    ),
    Contender(
        "spark-parquet", "Sightline, packed Parquet", "sightline", "sightline",
        predict("packed"), cold="cold", regimes=_ALL, decoder="fast",
    ),
    Contender(
        "spark-folder", "Sightline, folder of files", "sightline", "sightline",
        predict("folder"), regimes=_ALL, decoder="fast",
    ),
    Contender(
        "spark-exact", "Sightline, folder of files, decoder exact", "sightline", "sightline",
        predict("folder", "--decoder", "exact"), share=_SECONDARY, regimes=("camera",),
    ),
    Contender(
        "spark-sql", "Sightline, SQL function over paths", "sightline", "sightline",
        sql(_FUNCTION), share=_SECONDARY, regimes=("light",), decoder="fast",
    ),
    Contender(
        "spark-table", "Sightline, table function over packed Parquet", "sightline",
        "sightline", sql(_TABLE_FUNCTION), share=_SECONDARY, regimes=("light",),
        decoder="fast",
    ),
    Contender(
        "spark-bf16", "Sightline, packed Parquet, OpenVINO bf16", "sightline", "sightline",
        predict("packed", *_BF16), labels="alike", precision="bf16", share=_HALF,
        regimes=("heavy",), decoder="fast",
    ),
    Contender(
        "spark-int8", "Sightline, packed Parquet, onnxruntime int8", "sightline",
        "sightline", predict("packed", *_INT8), labels="alike", precision="int8",
        share=_SECONDARY, regimes=("heavy",), decoder="fast",
    ),
    Contender(
        "spark-openvino-int8", "Sightline, packed Parquet, OpenVINO int8", "sightline",
        "sightline", predict("packed", "--backend", "openvino", *_INT8), labels="alike",
        precision="int8", share=_HALF, regimes=("heavy",), decoder="fast",
    ),
    Contender(
        "pbu-parquet", "predict_batch_udf tuned, Parquet", "peer", "pyspark",
        shape("pbu-parquet"), cold="cold", regimes=_ALL, decoder="fast",
    ),
    Contender(
        "pbu-files", "predict_batch_udf tuned, binaryFile", "peer", "pyspark",
        shape("pbu-files"), share=_SECONDARY, regimes=("heavy", "light", "camera"),
        decoder="fast",
    ),
    Contender(
        "pbu-parquet-documented", "predict_batch_udf, default threads, Parquet", "peer",
        "pyspark", shape("pbu-parquet-documented"), documented="documented", share=_SECONDARY,
    ),
    Contender(
        "pbu-files-documented", "predict_batch_udf, default threads, binaryFile", "peer",
        "pyspark", shape("pbu-files-documented"), documented="documented", share=_SECONDARY,
        regimes=_ALL,
    ),
    Contender(
        "pbu-torch", "predict_batch_udf, PyTorch defaults, binaryFile", "peer", "pyspark",
        shape("pbu-torch"), documented="documented", share=_SLOW, regimes=("heavy",),
    ),
    Contender(
        "pandas", "pandas_udf iterator tuned, Parquet", "peer", "pyspark", shape("pandas"),
        decoder="fast",
    ),
    Contender(
        "pandas-documented", "pandas_udf iterator, default threads, binaryFile", "peer",
        "pyspark", shape("pandas-documented"), documented="documented", share=_SLOW,
    ),
    Contender(
        "ray", "Ray Data tuned, Parquet", "peer", "ray", shape("ray"), cold="cold",
        regimes=("heavy", "light", "resnet50"), decoder="fast",
    ),
    Contender(
        "ray-files", "Ray Data tuned, read_binary_files", "peer", "ray", shape("ray-files"),
        regimes=("camera",), decoder="fast",
    ),
    Contender(
        "ray-documented", "Ray Data as documented, read_images", "peer", "ray",
        shape("ray-documented"), documented="documented", share=_SECONDARY, regimes=_ALL,
    ),
    Contender(
        "daft", "Daft tuned, Parquet", "peer", "daft", shape("daft"),
        regimes=("heavy", "light", "resnet50"), decoder="fast",
    ),
    Contender(
        "daft-files", "Daft tuned, from_glob_path", "peer", "daft", shape("daft-files"),
        regimes=("camera",), decoder="fast",
    ),
    Contender(
        "daft-documented", "Daft as documented, its own decoder", "peer", "daft",
        shape("daft-documented"), labels="alike", documented="documented", share=_SECONDARY,
        regimes=_ALL, decoder="Daft's",
    ),
)  # fmt: skip


def choose(names: str | None) -> tuple[Contender, ...]:
    """Return the named contenders in the order of CONTENDERS.

    Args:
        names: Names separated by commas; None: all. raw-inference is always included, because
            labels are compared with its labels.

    Raises:
        WrongUseError: UNKNOWN_CONTENDER, listing the known ones.
    """
    if names is None:
        return CONTENDERS
    wanted = [name.strip() for name in names.split(",")]
    known = [contender.name for contender in CONTENDERS]
    for name in wanted:
        if name not in known:
            raise WrongUseError("UNKNOWN_CONTENDER", f"'{name}'. Known: {', '.join(known)}.")
    return tuple(c for c in CONTENDERS if c.name in {*wanted, "raw-inference"})
