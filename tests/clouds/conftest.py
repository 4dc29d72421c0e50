"""One S3 and one Google store, and one application for the commands of all tests here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from .stores import GCS_SERVER, KEYS, NO_MACHINE, TOOLS, Store, start_gcs, start_s3

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def connectors() -> str:
    """The jars of the connectors, as --jars takes them."""
    jars = sorted((TOOLS / "jars").glob("*.jar"))
    if not jars:
        pytest.skip("no connectors in .tools/clouds (scripts/make_clouds.sh makes them)")
    return ",".join(map(str, jars))


@pytest.fixture(scope="session")
def s3(connectors: str) -> Iterator[Store]:
    """S3 with the buckets ``gallery`` and ``many``, which has 10,000 objects in 100 folders."""
    del connectors  # It skips the test without .tools/clouds.
    with start_s3("gallery=0", "many=10000") as store:
        yield store


@pytest.fixture(scope="session")
def gcs(connectors: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Google's store with the same buckets; ``many`` has 2000 objects, which load slowly."""
    del connectors
    if not GCS_SERVER.is_file():
        pytest.skip("no fake-gcs-server in .tools/clouds (make gcs-server builds it with Go)")
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "gallery").mkdir()
    for number in range(2000):
        file = folder / "many" / "images" / f"{number // 20:03}" / f"{number:05}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with start_gcs(folder) as store:
        yield store


@pytest.fixture(params=["s3", "gcs"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store, whose proxy lets every request pass."""
    found: Store = request.getfixturevalue(request.param)
    found.proxy.heal()
    return found


@pytest.fixture(scope="session")
def run_anywhere(
    start_application: Callable[..., Callable[..., Done]], connectors: str
) -> Callable[..., Done]:
    """``run_command`` in an application with both connectors, which gives up after few retries."""
    few = (
        "--conf",
        "spark.hadoop.fs.s3a.retry.limit=2",
        "--conf",
        "spark.hadoop.fs.s3a.attempts.maximum=4",
    )
    return start_application("--jars", connectors, *few, **KEYS, **NO_MACHINE)


@pytest.fixture
def run(store: Store, run_anywhere: Callable[..., Done]) -> Callable[..., Done]:
    """``run("predict", …)`` with the options of the store."""

    def call(command: str, *arguments: object) -> Done:
        return run_anywhere(command, *store.options, *arguments)

    return call


@pytest.fixture
def images(store: Store, paint: Callable[[str], bytes]) -> str:
    """Nine images in a folder for each colour: the URI of the folder ``gallery/images``."""
    if not store.names("gallery/images"):
        for colour in ("red", "lime", "blue"):
            for number in range(3):
                store.write(f"gallery/images/{colour}/{number} ü%20.png", paint(colour))
    return store.uri("gallery/images")


@pytest.fixture
def output(store: Store) -> Iterator[str]:
    """A folder ``gallery/out`` that does not exist."""
    store.remove("gallery/out")
    yield store.uri("gallery/out")
    store.proxy.heal()


def error(done: Done) -> str:
    """Return the error of a command, which has one line and no stack trace."""
    assert "\tat " not in done.stderr, done.stderr[-3000:]
    return done.stderr.splitlines()[-1]
