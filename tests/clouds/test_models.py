"""A models root in an object store: CREATE MODEL, also by several writers at the same time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import error
from .stores import KEYS, NO_MACHINE, Store

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


def test_a_model_is_created_in_the_bucket_and_used_from_there(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    root = f"--set=spark.sightline.models={output}"
    label = f"ml_predict('colour', content).label FROM read_images('{images}')"
    create = f"CREATE MODEL colour USING '{colour_bundle}'"
    script = f"{create}; SHOW MODELS; SELECT DISTINCT {label} ORDER BY 1"
    done = run("sql", root, "-e", script)
    assert done.returncode == 0, done.stderr[-3000:]
    names = [name for name in store.names("gallery/out") if name.endswith(".json")]
    assert names == ["_models/colour@000001.json"]
    words = [line.strip("| ") for line in done.stdout.splitlines()]
    assert [word for word in words if word in ("red", "green", "blue")] == ["blue", "green", "red"]

    done = run("sql", root, "-e", create)
    assert done.stderr.splitlines()[-1].startswith("sightline: MODEL_EXISTS: ")
    # A bundle that was copied to the root, such as by `sightline upload`.
    for file in colour_bundle.iterdir():
        store.write(f"gallery/out/copied/{file.name}", file.read_bytes())
    usual = ("--images", images, "--output", f"{output}/predictions", "--models", output)
    done = run("predict", "--model", "copied", *usual)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def run_elsewhere(
    start_application: Callable[..., Callable[..., Done]], connectors: str
) -> Callable[..., Done]:
    """A second application, so that two statements can run at the same time."""
    return start_application("--jars", connectors, **KEYS, **NO_MACHINE)


def test_one_of_two_writers_creates_a_model(
    store: Store,
    run_anywhere: Callable[..., Done],
    run_elsewhere: Callable[..., Done],
    output: str,
    colour_bundle: Path,
) -> None:
    root = f"--set=spark.sightline.models={output}"
    words = ("sql", *store.options, root, "-e", f"CREATE MODEL m USING '{colour_bundle}'")
    # The proxy passes the first request for the version's file when the second one has come.
    store.proxy.meet("000001.json")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda run: run(*words), (run_anywhere, run_elsewhere)))
    assert store.proxy.met
    assert sorted(one.returncode for one in done) == [0, 2]
    (lost,) = (one for one in done if one.returncode)
    assert error(lost).startswith("sightline: MODEL_EXISTS: ")
    names = store.names("gallery/out")
    # The bundle of the statement that lost is removed.
    assert [name.endswith(".zip") for name in names] == [False, True]
    assert names[0] == "_models/m@000001.json"
