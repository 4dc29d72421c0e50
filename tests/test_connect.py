"""A Spark Connect server with the extension, and its client: SQL and column functions."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
CLIENT = ("grpc", "grpc_status", "google.rpc", "zstandard", "pandas")


def _missing() -> list[str]:
    def absent(name: str) -> bool:
        try:
            return importlib.util.find_spec(name) is None
        except ModuleNotFoundError:
            return True

    return [name for name in CLIENT if absent(name)]


pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(_missing()), reason=f"pyspark[connect] lacks {', '.join(_missing())}"),
]

START_S = 240
SCRIPT = """
import sys
from pyspark.sql import SparkSession
from sightline.functions import ml_predict

port, gallery, model = sys.argv[1:]
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
images = spark.sql(f"SELECT relative_path, content FROM read_images('{gallery}')")
red = images.where("relative_path = 'red/a.png'")
print("said", red.select(ml_predict(model, "content")["label"]).first()[0])
print("named", red.select(ml_predict(model, content="content")["label"]).first()[0])
print("models", [row.model for row in spark.sql("SHOW MODELS LIKE 'id_*'").collect()])
try:
    spark.sql("SELECT ml_predict('nobody', X'00')").collect()
except Exception as error:
    print("refused", str(error).splitlines()[0])
"""


@pytest.fixture(scope="module")
def port(spark_home: Path, jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("connect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = (
        *(str(spark_home / "bin" / "spark-submit"), "--master", "local[2]", "--jars", str(jar)),
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *("--conf", "spark.sql.extensions=sightline.sql.SightlineExtensions"),
        *("--conf", "spark.ui.enabled=false"),
        *("--conf", f"spark.connect.grpc.binding.port={number}", "spark-internal"),
    )
    environment = dict(os.environ) | {"SPARK_HOME": str(spark_home), "LC_ALL": "C.UTF-8"}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - Spark's own program
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        end = time.monotonic() + START_S
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.5)
        else:
            pytest.fail((folder / "server.log").read_text()[-3000:])
        yield number
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def test_connect_has_the_functions_the_statements_and_the_errors(
    port: int, gallery: Path, colour_bundle: Path, repository: Path, tmp_path: Path
) -> None:
    script = tmp_path / "client.py"
    script.write_text(SCRIPT)
    paths = os.pathsep.join([str(repository / "python" / "src"), *sys.path])
    done: Done = subprocess.run(  # noqa: S603 - the test's own script
        [sys.executable, str(script), str(port), str(gallery), str(colour_bundle)],
        env=dict(os.environ) | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "named red" in done.stdout
    assert "said red" in done.stdout
    assert "models ['id_fraud']" in done.stdout
    assert "refused UNKNOWN_MODEL: 'nobody'. Known: " in done.stdout
