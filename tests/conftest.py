"""The jar and the command line as users run them, and images with known predictions."""

from __future__ import annotations

import io
import json
import os
import runpy
import shlex
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
# Spark starts with half of the CPU time: one JIT compiler, and the class archive of `make setup`.
# The compiled code of a long session does not fit into the 48 MB that one compiler gets.
JVM = (
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"
    f" -XX:SharedArchiveFile='{ROOT}/.tools/spark.jsa'"
)
SPARK = ("--master", "local[2]", "--conf", "spark.ui.enabled=false")
Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    # The sockets of py4j, of the session in this process, are closed by the garbage collector.
    config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def spark_home() -> Path:
    """The pyspark of .venv, the only Spark of the tests."""
    (home,) = (ROOT / ".venv" / "lib").glob("python3*/site-packages/pyspark")
    return home


@pytest.fixture(scope="session")
def quick_start() -> dict[str, str]:
    """The README's setting for short runs, for an environment that a test makes itself."""
    return {"SPARK_SUBMIT_OPTS": JVM}


@pytest.fixture(scope="session")
def jar() -> Path:
    """dist/sightline.jar; the tests use it and never build it."""
    path = ROOT / "dist" / "sightline.jar"
    assert path.is_file(), f"{path} is missing: run `make setup`."
    return path


@pytest.fixture(scope="session")
def run_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """``run_in(program, *arguments, **variables)``; ``cwd`` is an empty folder by default."""
    folder = tmp_path_factory.mktemp("work")

    def call(
        program: str | Path, *arguments: object, cwd: Path | None = None, **variables: str
    ) -> Done:
        return subprocess.run(  # noqa: S603 - the repository's own programs
            [str(program), *map(str, arguments)],
            cwd=cwd or folder,
            env=user_environment() | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def user_environment() -> dict[str, str]:
    """What a user has who put .venv/bin on the PATH, and the README's setting for short runs."""
    ours = ("PYSPARK_", "SPARK_", "SIGHTLINE_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "SPARK_SUBMIT_OPTS": JVM,
    }


@pytest.fixture(scope="session")
def spark(jar: Path) -> Iterator[SparkSession]:
    """A PySpark session with the jar, in this process. Its workers have no code but the jar's."""
    with pytest.MonkeyPatch.context() as variables:
        variables.delenv("PYTHONPATH", raising=False)
        variables.setenv("PYSPARK_PYTHON", str(BIN / "python"))
        variables.setenv("SPARK_SUBMIT_OPTS", JVM)
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.jars", str(jar))
            .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


@pytest.fixture(scope="session")
def submit(run_in: Callable[..., Done], jar: Path) -> Callable[..., Done]:
    """``submit("predict", "--images", …)`` by spark-submit, on two cores.

    It starts an application, for tests of the process: its environment, its exit status, its end.
    Tests of what a command does take ``run_command``, which starts none.
    """

    def call(*arguments: object, **variables: str) -> Done:
        return run_in(BIN / "spark-submit", *SPARK, jar, *arguments, **variables)

    return call


@pytest.fixture(scope="session")
def run_command(
    jar: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Done]]:
    """``run_command("predict", "--images", …)`` is ``submit`` in one application for all tests."""
    application = SharedApplication(jar, tmp_path_factory.mktemp("application"))
    yield application.run
    application.close()


@pytest.fixture(scope="session")
def start_application(
    jar: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Callable[..., Done]]]:
    """``start_application(*options, **variables)``: a ``run_command`` with Spark's options."""
    started: list[SharedApplication] = []

    def start(*options: str, **variables: str) -> Callable[..., Done]:
        folder = tmp_path_factory.mktemp("application")
        started.append(SharedApplication(jar, folder, *options, **variables))
        return started[-1].run

    yield start
    for application in started:
        application.close()


class SharedApplication:
    """A running ``commands --file -``: each command line that is written gives a result.

    It starts with the first command, and again after a command that ended it.
    """

    def __init__(self, jar: Path, folder: Path, *options: str, **variables: str) -> None:
        submit = [str(BIN / "spark-submit"), *SPARK, *options]
        self._command = [*submit, str(jar), "commands", "--file", "-"]
        self._variables = variables
        self._folder = folder
        self._stderr = folder / "stderr.txt"
        self._process: subprocess.Popen[str] | None = None

    def run(self, *arguments: object) -> Done:
        """Run one command line. If it ends the process, its status is that of the process."""
        words = [*map(str, arguments)]
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        before = self._stderr.stat().st_size
        printed: list[str] = []
        try:
            process.stdin.write(f"{shlex.join(words)}\n")
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith("@ "):
                    status: int = json.loads(line[2:])["status"]
                    break
                printed.append(line)
            else:
                status = process.wait()
        except BaseException:  # Such as the timeout of a test: the answer is not read any more.
            process.kill()
            raise
        with self._stderr.open("rb") as file:
            file.seek(before)
            stderr = file.read().decode("utf-8", "replace")
        return Done(words, status, "".join(printed), stderr)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            with self._stderr.open("ab") as stderr:
                self._process = subprocess.Popen(  # noqa: S603 - the repository's own program
                    self._command,
                    cwd=self._folder,
                    env=user_environment() | self._variables,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    encoding="utf-8",
                )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()  # The process ends at the end of its input.


@pytest.fixture(scope="session")
def submit_process(jar: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """``submit_process("predict", …)`` is ``submit`` without waiting for the end."""

    def call(*arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the repository's own program
            [str(BIN / "spark-submit"), *SPARK, str(jar), *map(str, arguments)],
            env=user_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    return call


@pytest.fixture(scope="session")
def spark_sql(run_in: Callable[..., Done], jar: Path) -> Callable[..., Done]:
    """``spark_sql(text)`` with only the jar and the session extensions."""

    def call(text: str, *more: object, cwd: Path | None = None) -> Done:
        extensions = "spark.sql.extensions=sightline.sql.SightlineExtensions"
        options = ("--master", "local[2]", "--jars", jar, "--conf", extensions)
        return run_in(BIN / "spark-sql", *options, *more, "-e", text, cwd=cwd)

    return call


@pytest.fixture(scope="session")
def alone(run_in: Callable[..., Done]) -> Callable[..., Done]:
    """``alone("predict", …)`` is ``python -m sightline predict …``."""

    def call(*arguments: object) -> Done:
        sources = str(ROOT / "python" / "src")
        return run_in(sys.executable, "-m", "sightline", *arguments, PYTHONPATH=sources)

    return call


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Path], list[Row]]:
    """The rows of a Parquet output, by path."""

    def read(folder: Path) -> list[Row]:
        rows: list[Row] = pq.read_table(folder).to_pylist()
        return sorted(rows, key=lambda row: row["path"] or "")

    return read


@pytest.fixture(scope="session")
def colour_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the Python tests whose class is the strongest channel: red, green or blue."""
    return _colours(tmp_path_factory.mktemp("models") / "colour", divisor=25.5)


@pytest.fixture(scope="session")
def means_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second bundle, whose features are the means of the channels, 0..255."""
    return _colours(tmp_path_factory.mktemp("models") / "means", divisor=51.0, features=True)


def _colours(folder: Path, **how: float) -> Path:
    write = runpy.run_path(str(ROOT / "python" / "tests" / "conftest.py"))["write_colour_bundle"]
    written: Path = write(folder, **how)
    return written


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven images, five files that are not images, and two skipped names."""
    folder = tmp_path_factory.mktemp("gallery")
    content = {
        "top.png": picture("red"),
        "red/a.png": picture("red"),
        "red/b, with comma.png": picture("blue"),
        "green/c d.jpg": picture("lime", "JPEG"),
        "green/e%20ü😀.webp": picture("lime", "WEBP"),
        "blue/f.bmp": picture("blue", "BMP"),
        "blue/g:h#1.gif": picture("blue", "GIF"),
        "red/empty.png": b"",
        "red/text.png": b"This is text.",
        "blue/huge.png": png_header(60_000, 60_000),
        "blue/truncated.jpg": picture("blue", "JPEG", (640, 480))[:2000],
        "_skipped/x.png": picture("red"),
        ".skipped.png": picture("red"),
    }
    for name, data in content.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
    (folder / "green" / "gone.png").symlink_to(folder / "nowhere.png")
    return folder


@pytest.fixture(scope="session")
def paint() -> Callable[..., bytes]:
    """``paint("red")``: the bytes of a small image."""
    return picture


def picture(colour: str, format_: str = "PNG", size: tuple[int, int] = (24, 20)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format_)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of one kilobyte whose header has this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of twelve fictitious identity cards."""
    folder = tmp_path_factory.mktemp("cards")
    generate = ROOT / "examples" / "fraud_id" / "generate.py"
    people = ("--split", "test", "--people", "4", "--seed", "11", "--workers", "1")
    command = [sys.executable, str(generate), "--output", str(folder), *people]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return folder / "image_data.csv"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real test data; without it the test is skipped."""
    folder = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared test data in {folder} (set SIGHTLINE_SHARED)")
    return folder / "data"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; the test is skipped if this user cannot mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:  # noqa: S603,PLW1510
        pytest.skip("this user may not mount a tmpfs, so no disk can be filled")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603,S607
