"""The Thrift server as a BI tool uses it: beeline is the client, without Python."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Beeline = Callable[..., Done]
pytestmark = pytest.mark.timeout(600)

START_S = 240
PROMPT = re.compile(r"^(?:(?:\d+: jdbc:hive2:\S+>|[. ]+>) ?)+", re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thrift")


@pytest.fixture(scope="module")
def server(
    folder: Path,
    repository: Path,
    spark_home: Path,
    jar: Path,
    gallery: Path,
    quick_start: dict[str, str],
) -> Iterator[int]:
    """The port of a Thrift server whose SQL can read the gallery, the models and the test data."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    data = os.environ.get("SIGHTLINE_SHARED", repository.parent / "shared")
    roots = ",".join(map(str, (gallery, folder / "models", repository / "models", data)))
    command = (
        *(str(spark_home / "bin" / "spark-submit"), "--master", "local[2]", "--jars", str(jar)),
        *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"),
        *("--conf", "spark.sql.extensions=sightline.sql.SightlineExtensions"),
        *("--conf", f"spark.sightline.models={folder / 'models'}"),
        *("--conf", f"spark.sightline.allowedRoots={roots}", "--conf", "spark.ui.enabled=false"),
        *("spark-internal", "--hiveconf", f"hive.server2.thrift.port={port}"),
        *("--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"),
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYSPARK_", "SPARK_"))}
    started = kept | quick_start | {"SPARK_HOME": str(spark_home), "LC_ALL": "C.UTF-8"}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - Spark's own program
            command, cwd=folder, env=started, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(port, process, folder / "server.log")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-3000:]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"no Thrift server after {START_S} s: {log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def beeline(server: int, folder: Path, spark_home: Path) -> Beeline:
    """``beeline("-e", "SELECT 1")``; it prints tables with tabs."""

    def call(*arguments: object) -> Done:
        url = f"jdbc:hive2://127.0.0.1:{server}"
        options = ("-u", url, "-n", "tester", "--silent=true", "--outputformat=tsv2")
        return subprocess.run(  # noqa: S603 - Spark's own program
            [str(spark_home / "bin" / "beeline"), *options, *map(str, arguments)],
            cwd=folder,
            env=dict(os.environ) | {"SPARK_HOME": str(spark_home)},
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def rows(done: Done) -> list[list[str]]:
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split("\t") for line in PROMPT.sub("", done.stdout).splitlines() if line]


def test_a_jdbc_client_creates_a_model_and_scores_a_folder(
    beeline: Beeline, colour_bundle: Path, gallery: Path, folder: Path
) -> None:
    # The bundle must be below a folder that SQL can read.
    allowed = folder / "models" / "incoming"
    allowed.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", str(colour_bundle), str(allowed)], check=True)  # noqa: S603, S607
    created = rows(beeline("-e", f"CREATE MODEL colours USING '{allowed}'"))
    assert created[0] == ["model", "version", "sha256"]
    assert created[1][:2] == ["colours", "1"]
    predicted = rows(
        beeline(
            "-e",
            "SELECT relative_path, r.label, r.error.code FROM (SELECT relative_path, "  # noqa: S608
            f"ml_predict('colours', content) AS r FROM read_images('{gallery}')) "
            "WHERE relative_path LIKE 'red/%' ORDER BY 1",
        )
    )
    assert predicted[1:] == [
        ["red/a.png", "red", "NULL"],
        ["red/b, with comma.png", "blue", "NULL"],
        ["red/empty.png", "NULL", "EMPTY"],
        ["red/text.png", "NULL", "UNSUPPORTED"],
    ]
    assert "colours" in beeline("-e", "SHOW MODELS").stdout
    assert rows(beeline("-e", "DESCRIBE MODEL colours"))[1] == ["name", "colours"]
    assert beeline("-e", "DROP MODEL colours").returncode == 0


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT * FROM read_images('/etc')", "PATH_NOT_ALLOWED: '/etc' may not be read"),
        ("SELECT * FROM read_images('{gallery}/../../etc')", "PATH_NOT_ALLOWED"),
        ("SELECT * FROM read_images('s3a://bucket/x')", "PATH_NOT_ALLOWED"),
        ("CREATE MODEL m USING '/somewhere/else'", "PATH_NOT_ALLOWED"),
        ("SELECT ml_predict('nobody', X'00')", "UNKNOWN_MODEL: 'nobody'. Known: "),
    ],
)
def test_a_statement_that_is_not_allowed_is_one_clear_error(
    beeline: Beeline, gallery: Path, statement: str, message: str
) -> None:
    done = beeline("-e", statement.format(gallery=gallery))
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_a_path_outside_the_roots_is_a_denied_row_even_if_a_session_sets_other_roots(
    beeline: Beeline, gallery: Path
) -> None:
    done = beeline(
        "-e",
        "SET spark.sightline.allowedRoots=/;"
        "SELECT get_image_inference_udf('/etc/hostname', 'onnx').error.code, "
        f"get_image_inference_udf('{gallery}/red/a.png', 'onnx').error.code",
    )
    assert rows(done)[-1] == ["DENIED", "NULL"]


def test_one_sql_file_computes_the_accuracy_on_photographs(
    beeline: Beeline, repository: Path, shared: Path
) -> None:
    variables = {
        "bundle": repository / "models" / "efficientnet_lite0",
        "images": shared / "imagenet" / "images",
        "labels": shared / "imagenet" / "labels.csv",
    }
    given = [part for pair in variables.items() for part in ("--hivevar", "{}={}".format(*pair))]
    done = beeline(*given, "-f", repository / "examples" / "photographs" / "photographs.sql")
    table = rows(done)
    assert ["500", "0", "0.858", "0.962"] in table, done.stdout  # images, errors, top-1, top-5
