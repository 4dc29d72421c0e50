"""The image sightline:cpu is built from the Dockerfile, and runs commands as a user runs them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]
IMAGE = "sightline:cpu"
PREDICT = ("predict", "--images", "/data/cards/image_data.csv", "--model", "id_fraud")


class Containers:
    """Containers of the image, by docker or, where no daemon runs, by buildah.

    buildah keeps everything in a folder of its own. It builds on a stand-in for the base image,
    made of Debian's packages, so that it needs no registry of images.
    """

    def __init__(self, *, docker: bool, folder: Path) -> None:
        self._docker = docker
        self._environment = dict(os.environ)
        self._container = ""
        if not docker:
            storage = folder / "storage.conf"
            graph, state = folder / "graph", folder / "run"
            storage.write_text(
                f'[storage]\ndriver = "vfs"\ngraphroot = "{graph}"\nrunroot = "{state}"\n'
            )
            self._environment |= {
                "CONTAINERS_STORAGE_CONF": str(storage),
                "BUILDAH_ISOLATION": "chroot",
            }

    def build(self, repository: Path) -> Done:
        stand_in = () if self._docker else ("--stand-in",)
        done = self._call(repository / "scripts/make_images.sh", *stand_in, "cpu")
        if done.returncode == 0 and not self._docker:
            self._container = self._call("buildah", "from", "--pull-never", IMAGE).stdout.strip()
        return done

    def run(self, *words: object, data: Path, entrypoint: str = "", **variables: str) -> Done:
        """Run the image's entry point, or another program of it, with a folder as /data."""
        mount = ("--volume", f"{data}:/data")
        given = [f"--env={name}={value}" for name, value in variables.items()]
        if self._docker:
            other = ("--entrypoint", entrypoint) if entrypoint else ()
            return self._call(
                "docker", "run", "--rm", "--network=host", *mount, *given, *other, IMAGE, *words
            )
        # The names of such containers are in no hosts file.
        given.append("--env=SPARK_LOCAL_HOSTNAME=localhost")
        start = [entrypoint] if entrypoint else self.config()["Entrypoint"]
        return self._call("buildah", "run", *mount, *given, self._container, "--", *start, *words)

    def config(self) -> dict[str, Any]:
        if self._docker:
            config: dict[str, Any] = json.loads(self._call("docker", "inspect", IMAGE).stdout)[0]
        else:
            config = json.loads(self._call("buildah", "inspect", IMAGE).stdout)["Docker"]
        return dict(config["Config" if "Config" in config else "config"])

    def _call(self, *words: object) -> Done:
        return subprocess.run(  # noqa: S603 - the repository's own programs
            [*map(str, words)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def containers(
    repository: Path, jar: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Containers]:
    if not os.environ.get("SIGHTLINE_TEST_IMAGES"):
        pytest.skip("`make test-images` builds the image, in 6 to 9 minutes, and runs this test")
    info = [shutil.which("docker") or "false", "info"]
    docker = subprocess.run(info, capture_output=True, check=False).returncode == 0  # noqa: S603
    programs = shutil.which("buildah") and shutil.which("debootstrap")
    if not docker and not (programs and os.geteuid() == 0):
        pytest.skip("no docker daemon is here, and not buildah, debootstrap and the user root")
    folder = tmp_path_factory.mktemp("images")
    wheel = ("-m", "hatchling", "build", "-t", "wheel", "-d", jar.parent)
    build = [sys.executable, *map(str, wheel)]
    subprocess.run(build, cwd=repository / "python", check=True)  # noqa: S603
    made = Containers(docker=docker, folder=folder)
    done = made.build(repository)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def data(cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve cards, in a folder that the image's user may write to."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(cards.parent, folder / "cards")
    (folder / "cards").chmod(0o755)
    folder.chmod(0o777)
    return folder


def labels(folder: Path) -> dict[str, str]:
    """The predicted label of each image, by the name of its file."""
    rows = pq.read_table(folder).to_pylist()
    return {Path(row["path"]).name: row["prediction"]["label"] for row in rows}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_both_programs_of_the_image_predict_the_true_labels(
    containers: Containers, data: Path
) -> None:
    spark = containers.run(*PREDICT, "--output", "/data/spark", data=data)
    assert spark.returncode == 0, spark.stderr
    twin = (*PREDICT, "--sequential", "--output", "/data/twin")
    done = containers.run(*twin, data=data, entrypoint="sightline")
    assert done.returncode == 0, done.stderr

    with (data / "cards" / "image_data.csv").open() as file:
        true = {Path(row["image_path"]).name: row["actual_class"] for row in csv.DictReader(file)}
    assert len(true) == 12
    assert labels(data / "spark") == true
    assert labels(data / "twin") == true


def test_the_image_has_a_user_and_no_build_tools(containers: Containers, data: Path) -> None:
    script = "id -u; command -v uv gcc make javac; ls /opt"
    done = containers.run("-c", script, data=data, entrypoint="sh")
    assert done.stdout.split() == ["1000", "entrypoint.sh", "sightline"]


def test_the_health_check_of_the_image_finds_no_blocker(containers: Containers, data: Path) -> None:
    kind, *command = containers.config()["Healthcheck"]["Test"]
    assert kind == "CMD"
    done = containers.run(*command[1:], data=data, entrypoint=command[0])
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["blockers"] == 0


def test_a_driver_and_an_executor_as_spark_starts_them_on_kubernetes_predict_the_same(
    containers: Containers, data: Path
) -> None:
    """A cluster without workers of its own, which only the container of the executor joins."""
    port = free_port()
    packages = ("java.lang", "java.lang.invoke", "java.nio", "java.util", "sun.nio.ch")
    options = {
        f"SPARK_JAVA_OPT_{number}": f"--add-opens=java.base/{name}=ALL-UNNAMED"
        for number, name in enumerate(packages)
    }
    executor = options | {
        "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@localhost:{port}",
        "SPARK_EXECUTOR_ID": "7",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_EXECUTOR_MEMORY": "600m",
        "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
        "SPARK_EXECUTOR_POD_NAME": "sightline-exec-7",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_RESOURCE_PROFILE_ID": "0",
    }
    settings = (
        "spark.driver.host=localhost",
        f"spark.driver.port={port}",
        "spark.ui.enabled=false",
    )
    driver = (
        *("driver", "--master", "local-cluster[0,1,1024]"),
        *(word for setting in settings for word in ("--conf", setting)),
        *("--class", "sightline.cli.Main", "local:///opt/sightline/sightline.jar"),
        *(*PREDICT, "--output", "/data/kubernetes"),
    )
    logs = []
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(
            containers.run, *driver, data=data, SPARK_DRIVER_BIND_ADDRESS="127.0.0.1"
        )
        # An executor that comes before the driver is ready ends; Kubernetes starts another one.
        while not running.done():
            logs.append(containers.run("executor", data=data, **executor).stderr)
    done = running.result()
    assert done.returncode == 0, f"{done.stderr}\n{logs[-1]}"
    assert labels(data / "kubernetes") == labels(data / "spark")


def test_the_script_says_what_is_missing_and_how_to_get_it(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / "path").mkdir()
    script = shutil.copy(repository / "scripts/make_images.sh", tmp_path / "scripts")
    for name in ("bash", "dirname"):
        (tmp_path / "path" / name).symlink_to(shutil.which(name) or "")

    def run() -> Done:
        variables = {"PATH": str(tmp_path / "path")}
        return subprocess.run([script], env=variables, capture_output=True, text=True, check=False)  # noqa: S603

    done = run()
    assert done.returncode == 2
    assert done.stderr.startswith("MISSING_WHEEL: ")
    (tmp_path / "dist" / "sightline-0-py3-none-any.whl").touch()
    done = run()
    assert done.returncode == 2
    assert done.stderr.startswith("MISSING_BUILDER: ")
    assert done.stderr.endswith("sudo apt-get install buildah\n")
