"""Wrong use from PySpark: each is one of PySpark's exceptions, with a condition."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)

# One Spark session for all cases: it runs each text and prints its exception.
SCRIPT = """
import json, sys
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sightline.functions import get_image_inference_udf, ml_features, ml_predict

jar, places, cases = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
colour, models, gallery = places["colour"], places["models"], places["gallery"]
spark.conf.set("spark.sightline.models", models)
spark.sql(f"CREATE MODEL paint USING '{colour}'").collect()
images = spark.read.format("sightline").load(gallery)
images.createOrReplaceTempView("images")

for name, text in cases.items():
    root = spark.conf.get("spark.sightline.models")
    try:
        exec(text.format(**places))
        result = {"type": "nothing"}
    except PySparkException as error:
        result = {
            "type": type(error).__name__,
            "condition": error.getCondition(),
            "parameters": error.getMessageParameters(),
            "state": error.getSqlState(),
            "text": str(error),
            "message": error.getMessage(),
        }
    except Exception as error:
        result = {"type": type(error).__name__, "text": str(error)[:2000]}
    spark.conf.set("spark.sightline.models", root)
    print("result", json.dumps([name, result]), flush=True)
"""

JOIN = "SELECT 1 FROM images a JOIN images b ON ml_predict('{colour}', a.content).label = b.path"
OUTER = (
    "SELECT * FROM images WHERE EXISTS (SELECT 1 FROM images b WHERE b.path = images.path "
    "AND ml_predict('{colour}', images.content).score > length(b.path))"
)


def sql(text: str) -> str:
    return f'spark.sql("""{text}""").collect()'


def called(options: str) -> str:
    return sql(f"SELECT ml_predict('{{colour}}', content, map({options})) FROM images")  # noqa: S608


# The statement, and the expected condition with some of its parameters.
WRONG: dict[str, tuple[str, str, dict[str, str]]] = {
    "unknown model": (
        sql("SELECT ml_predict('resnet5', content) FROM images"),
        "UNKNOWN_MODEL",
        {"model": "resnet5"},
    ),
    "unknown version": (
        sql("SELECT ml_predict('paint@7', content) FROM images"),
        "UNKNOWN_VERSION",
        {"model": "paint", "version": "7", "known": "1"},
    ),
    "no such bundle": (
        sql("SELECT ml_predict('/nowhere/m', content) FROM images"),
        "UNKNOWN_MODEL",
        {"model": "/nowhere/m"},
    ),
    "text as an image": (
        sql("SELECT ml_predict('{colour}', path) FROM images"),
        "WRONG_COLUMN_TYPE",
        {"subject": "ml_predict", "type": "STRING"},
    ),
    "no image": (
        sql("SELECT ml_predict('{colour}') FROM images"),
        "WRONG_ARGUMENTS",
        {"subject": "ml_predict"},
    ),
    "too many arguments": (
        sql("SELECT ml_predict('{colour}', content, map(), 1) FROM images"),
        "WRONG_ARGUMENTS",
        {"reason": "3 inputs are given; model '{colour}' takes images BINARY."},
    ),
    "unknown argument": (
        sql("SELECT ml_predict('{colour}', content => content, modell => 'x') FROM images"),
        "WRONG_ARGUMENTS",
        {},
    ),
    "an argument twice": (
        sql("SELECT ml_predict('{colour}', content, model => 'x') FROM images"),
        "WRONG_ARGUMENTS",
        {"reason": "'model' is given twice; it takes (model, input…[, options])."},
    ),
    "a model that is a column": (
        sql("SELECT ml_predict(path, content) FROM images"),
        "WRONG_ARGUMENTS",
        {},
    ),
    "options that are not a map": (
        sql("SELECT ml_predict('{colour}', content, 'top_k') FROM images"),
        "WRONG_ARGUMENTS",
        {},
    ),
    "unknown option": (called("'batch', '3'"), "UNKNOWN_OPTION", {"option": "batch"}),
    "top_k of zero": (
        called("'top_k', '0'"),
        "INVALID_OPTION",
        {"option": "top_k", "value": "0"},
    ),
    "unknown device": (
        called("'device', 'tpu'"),
        "UNKNOWN_DEVICE",
        {"value": "tpu", "known": "auto, cpu, cuda"},
    ),
    "unknown decoder": (called("'decoder', 'turbo'"), "UNKNOWN_DECODER", {"value": "turbo"}),
    "unknown backend": (called("'backend', 'onx'"), "UNKNOWN_BACKEND", {"value": "onx"}),
    "no variant": (
        called("'backend', 'pytorch'"),
        "NO_VARIANT",
        {"model": "colour", "backend": "pytorch"},
    ),
    "unknown precision": (called("'precision', 'fp16'"), "UNKNOWN_PRECISION", {"value": "fp16"}),
    "unsupported precision": (
        called("'backend', 'onnx', 'precision', 'bf16'"),
        "UNSUPPORTED_PRECISION",
        {"backend": "onnx", "precision": "bf16"},
    ),
    "not calibrated": (
        called("'backend', 'openvino', 'precision', 'bf16'"),
        "NOT_CALIBRATED",
        {"model": "colour", "precision": "bf16"},
    ),
    "no features": (
        sql("SELECT ml_features('{colour}', content) FROM images"),
        "NO_FEATURES",
        {"model": "colour"},
    ),
    "in a JOIN condition": (sql(JOIN), "WRONG_PLACE", {"place": "in a JOIN condition"}),
    "in a lambda": (
        sql("SELECT transform(array(content), c -> ml_predict('{colour}', c).label) FROM images"),
        "WRONG_PLACE",
        {"function": "ml_predict", "place": "in a lambda"},
    ),
    "with a column of the outer query": (sql(OUTER), "WRONG_PLACE", {"function": "ml_predict"}),
    "unknown backend of a path": (
        "spark.conf.set('spark.sightline.imageModel', '{colour}'); "  # noqa: S608
        + sql("SELECT get_image_inference_udf(path, 'onx') FROM images"),
        "UNKNOWN_BACKEND",
        {"value": "onx"},
    ),
    "no path": (
        sql("SELECT get_image_inference_udf()"),
        "WRONG_ARGUMENTS",
        {"subject": "get_image_inference_udf"},
    ),
    "no such folder": (
        sql("SELECT * FROM read_images('/nowhere')"),
        "PATH_NOT_FOUND",
        {"path": "/nowhere"},
    ),
    "an empty path": (sql("SELECT * FROM read_images('')"), "INVALID_PATH", {}),
    "unknown scheme": (
        sql("SELECT * FROM read_images('foo://x/y')"),
        "UNKNOWN_SCHEME",
        {"reason": 'No FileSystem for scheme "foo"'},
    ),
    "unknown host": (sql("SELECT * FROM read_images('hdfs://nohost/x')"), "UNKNOWN_HOST", {}),
    "unknown labels": (
        sql("SELECT * FROM read_images('{gallery}', labels => 'best')"),
        "UNKNOWN_LABELS",
        {"value": "best", "known": "auto, folder, none"},
    ),
    "a limit that is not a number": (
        sql("SELECT * FROM read_images('{gallery}', limit => 'x')"),
        "INVALID_OPTION",
        {"option": "limit", "value": "x"},
    ),
    "no location": (
        sql("SELECT * FROM read_images()"),
        "WRONG_ARGUMENTS",
        {"subject": "read_images"},
    ),
    "a table without bytes": (
        sql("SELECT * FROM ml_predict(TABLE(SELECT path FROM images), '{colour}')"),
        "UNKNOWN_COLUMN",
        {"column": "content", "known": "path"},
    ),
    "a table with text as bytes": (
        sql("SELECT * FROM ml_predict(TABLE(SELECT path AS content FROM images), '{colour}')"),
        "WRONG_COLUMN_TYPE",
        {"column": "content", "type": "STRING"},
    ),
    "an incomplete statement": (sql("CREATE MODEL half"), "WRONG_STATEMENT", {}),
    "both OR REPLACE and IF NOT EXISTS": (
        sql("CREATE OR REPLACE MODEL IF NOT EXISTS m USING '{colour}'"),
        "WRONG_STATEMENT",
        {},
    ),
    "a name with a blank": (
        sql("CREATE MODEL `a b` USING '{colour}'"),
        "WRONG_MODEL_NAME",
        {"name": "a b"},
    ),
    "a model twice": (
        sql("CREATE MODEL paint USING '{colour}'"),
        "MODEL_EXISTS",
        {"model": "paint"},
    ),
    "a folder that is not a bundle": (
        sql("CREATE MODEL m USING '{gallery}'"),
        "INVALID_BUNDLE",
        {"bundle": "{gallery}"},
    ),
    "a damaged bundle": (sql("CREATE MODEL m USING '{damaged}'"), "BUNDLE_CORRUPT", {}),
    "dropped already": (sql("DROP MODEL nobody"), "UNKNOWN_MODEL", {"model": "nobody"}),
    "described by another name": (
        sql("DESCRIBE MODEL nobody"),
        "UNKNOWN_MODEL",
        {"model": "nobody"},
    ),
    "a pattern without quotes": (sql("SHOW MODELS LIKE x*"), "WRONG_STATEMENT", {}),
    "a models root that is a file": (
        "spark.conf.set('spark.sightline.models', '{file}'); "
        + sql("CREATE MODEL m USING '{colour}'"),
        "MODELS_ROOT_UNUSABLE",
        {"root": "{file}"},
    ),
    "no such folder to load": (
        "spark.read.format('sightline').load('/nowhere').count()",
        "PATH_NOT_FOUND",
        {"path": "/nowhere"},
    ),
    "labels to load": (
        "spark.read.format('sightline').option('labels', 'best').load('{gallery}').count()",
        "UNKNOWN_LABELS",
        {"value": "best"},
    ),
    "an unknown model as a column": (
        "images.select(ml_predict('nobody', 'content')).collect()",
        "UNKNOWN_MODEL",
        {"model": "nobody"},
    ),
    "text as an image, as a column": (
        "images.select(ml_predict('{colour}', 'path')).collect()",
        "WRONG_COLUMN_TYPE",
        {"type": "STRING"},
    ),
    "features of a model without features, as a column": (
        "images.select(ml_features('{colour}', 'content')).collect()",
        "NO_FEATURES",
        {"model": "colour"},
    ),
}


@pytest.fixture(scope="module")
def places(
    gallery: Path, colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("errors")
    damaged = folder / "damaged"
    shutil.copytree(colour_bundle, damaged)
    (damaged / "model.onnx").write_bytes(b"other bytes")
    (folder / "file").write_text("no folder")
    (folder / "models").mkdir()
    return {
        "gallery": str(gallery),
        "colour": str(colour_bundle),
        "models": str(folder / "models"),
        "damaged": str(damaged),
        "file": str(folder / "file"),
    }


@pytest.fixture(scope="module")
def errors(
    run_in: Callable[..., Done],
    repository: Path,
    jar: Path,
    places: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    """The exceptions by the name of the case."""
    script = tmp_path_factory.mktemp("script") / "script.py"
    script.write_text(SCRIPT)
    texts = json.dumps({name: text for name, (text, _, _) in WRONG.items()})
    python = repository / ".venv" / "bin" / "python"
    sources = str(repository / "python" / "src")
    done = run_in(python, script, jar, json.dumps(places), texts, PYTHONPATH=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("result ")]
    return dict(json.loads(line.removeprefix("result ")) for line in lines)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_an_analysis_exception_with_a_condition(
    name: str, errors: dict[str, dict[str, Any]], places: dict[str, str]
) -> None:
    _, condition, parameters = WRONG[name]
    error = errors[name]
    assert error["type"] == "AnalysisException", error
    assert error["condition"] == condition
    wanted = {key: value.format(**places) for key, value in parameters.items()}
    assert {key: error["parameters"].get(key) for key in wanted} == wanted
    assert len(error["state"]) == 5
    # One line, as printed by the commands; Spark can add the position in the query.
    assert error["text"].startswith(f"{condition}: ")
    assert "\n" not in error["text"]
    assert error["message"].startswith(f"[{condition}] ")
    assert error["message"].endswith(f"SQLSTATE: {error['state']}")
