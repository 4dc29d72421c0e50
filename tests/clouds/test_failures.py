"""Object stores that fail, end or refuse: one line each, and nothing that looks complete."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import error
from .proxy import Proxy
from .stores import Moto, Store, start_moto
from .test_runs import expected, labels

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


def test_a_run_gets_over_five_percent_of_requests_that_the_store_throttles(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    store.proxy.fail_every = 20
    done = run("predict", "--images", images, "--model", colour_bundle, "--output", output)
    assert done.returncode == 0, done.stderr[-3000:]
    assert store.proxy.failed >= 2
    store.proxy.heal()
    assert labels(store, "gallery/out") == expected()


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_store_that_goes_away_ends_the_run_and_the_next_run_starts_over(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    usual = ("predict", "--images", images, "--model", colour_bundle, "--output", output)
    # The first write is the marker of the run, the second one a part of its rows.
    store.proxy.drop_after = 2
    assert error(run(*usual)).startswith("sightline: STORAGE_UNREACHABLE: ")
    assert "_INCOMPLETE" in store.names("gallery/out")
    store.proxy.heal()

    # The table is not read: not as images, not as predictions.
    message = (
        f"sightline: OUTPUT_INCOMPLETE: '{output}' is not complete: it has the file _INCOMPLETE."
    )
    done = run("evaluate", "--predictions", output, "--output", store.uri("gallery/none"))
    assert error(done).startswith(message)

    done = run(*usual)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "had left it half written" in done.stderr
    assert labels(store, "gallery/out") == expected()
    assert "_INCOMPLETE" not in store.names("gallery/out")


def test_an_output_that_another_machine_writes_is_left_alone(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    other = json.dumps({"host": "elsewhere", "process": 1}).encode()
    store.write("gallery/out/_INCOMPLETE", other)
    usual = ("predict", "--images", images, "--model", colour_bundle, "--output", output)
    for more in ((), ("--overwrite",)):
        found = error(run(*usual, *more))
        assert found.startswith("sightline: OUTPUT_IN_USE: process 1 on elsewhere writes ")
    assert store.names("gallery/out") == ["_INCOMPLETE"]
    assert store.read("gallery/out/_INCOMPLETE") == other


def test_a_bucket_that_does_not_exist_is_named(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    gone = store.uri("no-such-bucket")
    message = f"sightline: BUCKET_NOT_FOUND: the bucket {gone} does not exist. "
    for where in (
        ("--images", f"{gone}/images", "--output", output),
        ("--images", images, "--output", f"{gone}/out"),
    ):
        done = run("predict", "--model", colour_bundle, *where)
        assert (done.returncode, error(done)[: len(message)]) == (2, message)


@pytest.fixture(scope="module")
def strict(connectors: str) -> Iterator[tuple[Moto, Proxy]]:
    """S3 that checks keys and permissions, with the buckets ``shut`` and ``open``."""
    del connectors
    with start_moto("shut=1", "open=1", INITIAL_NO_AUTH_ACTION_COUNT="0") as moto:
        proxy = Proxy(moto.port)
        yield moto, proxy
        proxy.close()


READ = "SELECT count(*) FROM read_images('s3a://{}/images')"
WRITE = "INSERT OVERWRITE DIRECTORY 's3a://{}/out' USING parquet SELECT 1 AS one"
SIMPLE = "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"


@pytest.mark.parametrize(
    ("bucket", "user", "query", "condition"),
    [
        ("shut", "stranger", READ, "PERMISSION_DENIED"),
        ("open", "reader", WRITE, "PERMISSION_DENIED"),
    ],
)
def test_a_wrong_key_and_a_missing_permission_are_one_sentence(
    bucket: str,
    user: str,
    query: str,
    condition: str,
    strict: tuple[Moto, Proxy],
    run_anywhere: Callable[..., Done],
) -> None:
    moto, proxy = strict
    keys = {"reader": (moto.key, moto.secret), "stranger": ("AKIAWRONG", "key")}
    key, secret = keys[user]
    settings = {"aws.credentials.provider": SIMPLE, "access.key": key, "secret.key": secret}
    sets = [f"--set=fs.s3a.bucket.{bucket}.{name}={value}" for name, value in settings.items()]
    endpoint = f"http://127.0.0.1:{proxy.port}"
    done = run_anywhere(
        "sql", "--cloud", "s3", "--endpoint", endpoint, *sets, "-e", query.format(bucket)
    )
    assert done.returncode == 2
    assert error(done).startswith(f"sightline: {condition}: ")


def test_missing_credentials_are_reported(run_anywhere: Callable[..., Done], gcs: Store) -> None:
    """The application has no Google credentials, and may not ask the machine for its role."""
    endpoint = f"http://127.0.0.1:{gcs.proxy.port}"
    options = ("--cloud", "gcs", "--endpoint", endpoint, "--credentials", "auto")
    done = run_anywhere("sql", *options, "-e", READ.replace("s3a", "gs").format("private"))
    assert done.returncode == 2
    assert error(done).startswith("sightline: CREDENTIALS_NOT_FOUND: ")


def test_a_missing_connector_is_reported_with_the_line_that_adds_it(
    run_command: Callable[..., Done], colour_bundle: Path
) -> None:
    pom = (Path(__file__).parent / "pom.xml").read_text("utf-8")
    usual = ("--model", colour_bundle, "--output", "out")
    for cloud, scheme, parts in (
        ("gcs", "gs", ["gcs-connector-4.0.4-shaded.jar"]),
        ("s3", "s3a", ["hadoop-aws:3.4.2", "awssdk:s3:2.29.52", "awssdk:sts:2.29.52"]),
    ):
        for options in (("--cloud", cloud), ()):
            done = run_command("predict", *options, "--images", f"{scheme}://b/x", *usual)
            found = error(done)
            assert (done.returncode, found[:30]) == (2, "sightline: MISSING_CONNECTOR: ")
            assert all(part in found for part in parts)
            assert all(part.split(":")[-1].split("-")[-2:][0] in pom for part in parts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cloud", "azure"), "UNKNOWN_CLOUD: --cloud 'azure'. Known: gcs, s3."),
        (("--endpoint", "http://h:1"), "WRONG_ARGUMENTS: sql: --endpoint has no effect without"),
        (("--cloud", "gcs", "--region", "x"), "WRONG_ARGUMENTS: sql: --region has no effect with"),
        (("--cloud", "s3", "--endpoint", "h:9"), "INVALID_OPTION: --endpoint is 'h:9'. It must be"),
        (("--cloud", "s3", "--credentials", "k.json"), "INVALID_OPTION: --credentials is 'k.json'"),
        (("--cloud", "gcs", "--credentials", "k"), "INVALID_OPTION: --credentials is 'k'. It must"),
    ],
)
def test_wrong_options_are_refused(
    options: tuple[str, ...], message: str, run_anywhere: Callable[..., Done]
) -> None:
    done = run_anywhere("sql", "-e", "SELECT 1", *options)
    assert (done.returncode, error(done)[: len(message) + 11]) == (2, f"sightline: {message}")
