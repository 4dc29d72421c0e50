"""All contenders, and the programs that run them: the table to change when one is added."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from harness.contender import Contender, Job
from harness.coprocess import Program
from sightline.errors import WrongUseError
from sightline.own_cores import own_cores

_SOME = 0.4  # of a regime's images: enough for what no claim rests on
_FEW = 0.2  # for those that need ten times as long


def shape(name: str) -> Callable[[Job], str]:
    """The line that asks a program of benchmarks/contenders for one of its shapes."""

    def line(job: Job) -> str:
        inputs = job.inputs
        paths = {"folder": inputs.folder, "packed": inputs.packed, "paths": inputs.paths}
        named = {key: str(path) for key, path in paths.items()}
        question = {"shape": name, "images": inputs.images, "output": str(job.output)}
        return json.dumps(question | named)

    return line


def engine(job: Job) -> str:
    """`sightline predict`, without Spark."""
    question = {"shape": "engine", "images": job.inputs.images}
    return json.dumps(question | {"arguments": ["predict", *_predict(job, job.inputs.folder)]})


def predict(source: str, *more: str) -> Callable[[Job], str]:
    """`predict` of the jar; the source is ``packed`` or ``folder``."""

    def line(job: Job) -> str:
        return shlex.join(["predict", *_predict(job, getattr(job.inputs, source)), *more])

    return line


def sql(text: str) -> Callable[[Job], str]:
    """A statement of the jar's `sql` command, in a file of its own."""

    def line(job: Job) -> str:
        file = job.notes / f"{job.output.name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = {
            "output": job.output,
            "paths": job.inputs.paths,
            "packed": job.inputs.packed,
            "model": job.model,
        }
        statements = text
        for name, value in values.items():
            statements = statements.replace(f"${{{name}}}", str(value))
        file.write_text(statements, "utf-8")
        return shlex.join(["sql", "--file", str(file), "--set", f"{_SQL_MODEL}={job.model}"])

    return line


def _predict(job: Job, images: Path) -> list[str]:
    model, output = str(job.model), str(job.output)
    return ["--images", str(images), "--model", model, "--output", output, "--labels", "none"]


_SQL_MODEL = "spark.sightline.imageModel"
# Paths have no size that Spark could plan by: the rows are dealt out, so that every core gets some.
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
        shape("raw-inference"),
    ),
    Contender(
        "raw-decode", "Raw decoding: Pillow and resize, bytes in memory", "raw", "parts",
        shape("raw-decode"), labels="none",
    ),
    Contender(
        "loop", "Loop of a notebook, one image at a time", "loop", "parts", shape("loop"),
        documented="documented", share=_SOME, cold="cold",
    ),
    Contender(
        "loop-tuned", "Loop in a process for each core, one thread each", "loop", "parts",
        shape("loop-tuned"), share=_SOME,
    ),
    Contender(
        "engine", "`sightline predict`, no Spark, folder", "sightline", "engine", engine,
        cold="cold",
    ),
    Contender(
        "spark-parquet", "Sightline, packed Parquet", "sightline", "sightline",
        predict("packed"), cold="cold",
    ),
    Contender(
        "spark-folder", "Sightline, folder of files", "sightline", "sightline",
        predict("folder"),
    ),
    Contender(
        "spark-sql", "Sightline, SQL function over paths", "sightline", "sightline",
        sql(_FUNCTION), share=_SOME,
    ),
    Contender(
        "spark-table", "Sightline, table function over packed Parquet", "sightline",
        "sightline", sql(_TABLE_FUNCTION), share=_SOME,
    ),
    Contender(
        "spark-turbo", "Sightline, packed Parquet, decoder turbo", "sightline", "sightline",
        predict("packed", "--decoder", "turbo"), share=_SOME, decoder="turbo",
    ),
    Contender(
        "spark-bf16", "Sightline, packed Parquet, OpenVINO bf16", "sightline", "sightline",
        predict("packed", *_BF16), labels="alike", precision="bf16",
    ),
    Contender(
        "spark-int8", "Sightline, packed Parquet, onnxruntime int8", "sightline",
        "sightline", predict("packed", *_INT8), labels="alike", precision="int8",
    ),
    Contender(
        "spark-bf16-scaled", "Sightline, packed Parquet, OpenVINO bf16, decoder scaled",
        "sightline", "sightline", predict("packed", *_BF16, "--decoder", "scaled"),
        labels="alike", share=_SOME, decoder="scaled", precision="bf16", regimes=("heavy",),
    ),
    Contender(
        "spark-openvino-int8", "Sightline, packed Parquet, OpenVINO int8", "sightline",
        "sightline", predict("packed", "--backend", "openvino", *_INT8), labels="alike",
        precision="int8", regimes=("heavy",),
    ),
    Contender(
        "pbu-parquet", "predict_batch_udf tuned, Parquet", "peer", "pyspark",
        shape("pbu-parquet"), cold="cold",
    ),
    Contender(
        "pbu-files", "predict_batch_udf tuned, binaryFile", "peer", "pyspark",
        shape("pbu-files"),
    ),
    Contender(
        "pbu-parquet-documented", "predict_batch_udf, default threads, Parquet", "peer",
        "pyspark", shape("pbu-parquet-documented"), documented="documented", share=_SOME,
    ),
    Contender(
        "pbu-files-documented", "predict_batch_udf, default threads, binaryFile", "peer",
        "pyspark", shape("pbu-files-documented"), documented="documented", share=_SOME,
    ),
    Contender(
        "pbu-torch", "predict_batch_udf, PyTorch as it comes, binaryFile", "peer", "pyspark",
        shape("pbu-torch"), documented="documented", share=_FEW, regimes=("heavy",),
    ),
    Contender(
        "pandas", "pandas_udf iterator tuned, Parquet", "peer", "pyspark", shape("pandas"),
    ),
    Contender(
        "pandas-documented", "pandas_udf iterator, default threads, binaryFile", "peer",
        "pyspark", shape("pandas-documented"), documented="documented", share=_SOME,
    ),
    Contender(
        "pandas-torch", "pandas_udf iterator, PyTorch as it comes, binaryFile", "peer",
        "pyspark", shape("pandas-torch"), documented="documented", share=_FEW,
        regimes=("heavy",),
    ),
    Contender(
        "ray", "Ray Data tuned, Parquet", "peer", "ray", shape("ray"), cold="cold",
    ),
    Contender(
        "ray-documented", "Ray Data as documented, read_images", "peer", "ray",
        shape("ray-documented"), documented="documented", share=_SOME,
    ),
    Contender(
        "daft", "Daft tuned, Parquet", "peer", "daft", shape("daft"),
    ),
    Contender(
        "daft-documented", "Daft as documented, its own decoder", "peer", "daft",
        shape("daft-documented"), labels="alike", documented="documented", share=_SOME,
        decoder="Daft's",
    ),
)  # fmt: skip

PROGRAMS = ("parts", "engine", "sightline", "pyspark", "ray", "daft")


def choose(names: str | None) -> tuple[Contender, ...]:
    """Those of a comma list, in the table's order; None: all. The raw inference always is there.

    Raises:
        WrongUseError: UNKNOWN_CONTENDER, listing the known.
    """
    if names is None:
        return CONTENDERS
    asked = [name.strip() for name in names.split(",")]
    known = [contender.name for contender in CONTENDERS]
    for name in asked:
        if name not in known:
            raise WrongUseError("UNKNOWN_CONTENDER", f"'{name}'. Known: {', '.join(known)}.")
    # Every label is held against the raw inference's.
    return tuple(c for c in CONTENDERS if c.name in {*asked, "raw-inference"})


def program(
    name: str, repository: Path, model: Path, folder: Path, interpreter: Path, overlay: Path
) -> Program:
    """How a contender's program is started.

    Args:
        name: One of PROGRAMS.
        repository: The checkout.
        model: The bundle's folder.
        folder: The images of a full job, for programs that hold them in memory.
        interpreter: Python of the peers' own environment.
        overlay: Folder of the packages that PySpark's pandas functions need.
    """
    here = repository / "benchmarks/contenders"
    found = partial(os.pathsep.join)
    if name == "sightline":
        return sightline(repository)
    python = str(interpreter) if name in ("ray", "daft") else sys.executable
    file = {"parts": "parts_and_loops", "engine": "engine_alone", "pyspark": "spark_peers"}
    script = here / f"{file.get(name) or {'ray': 'ray_data', 'daft': 'daft_frame'}[name]}.py"
    paths = [str(here), str(overlay)] if name == "pyspark" else [str(here)]
    environment = {"PYTHONPATH": found(paths)}
    return Program(name, (python, str(script), str(model), str(folder)), environment)


def sightline(repository: Path, *settings: str) -> Program:
    """One Spark application that takes the jar's commands, a line each.

    Args:
        repository: The checkout, with dist/sightline.jar.
        settings: More of spark-submit's arguments; the last of a kind wins.
    """
    spark = (
        "spark-submit",
        "--master",
        f"local[{own_cores()}]",
        "--conf",
        "spark.ui.enabled=false",
    )
    memory = ("--driver-memory", "2g")
    jar = str(repository / "dist/sightline.jar")
    command = (*spark, *memory, *settings, jar, "commands", "--file", "-")
    return Program("sightline", command, ready="at_once")
