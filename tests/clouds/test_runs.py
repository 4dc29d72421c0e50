"""Commands of the jar on images, tables and outputs in an object store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import error
from .stores import Store

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)
COLOURS = {"red": "red", "lime": "green", "blue": "blue"}


def labels(store: Store, folder: str) -> dict[str, str]:
    """The predicted label of each image of a table, by the end of its path."""
    table = pq.read_table(folder, filesystem=store.files)
    rows = table.select(["path", "prediction"]).to_pylist()
    return {"/".join(row["path"].split("/")[-2:]): row["prediction"]["label"] for row in rows}


def expected() -> dict[str, str]:
    return {f"{c}/{n} ü%20.png": label for c, label in COLOURS.items() for n in range(3)}


def test_predict_reads_in_place_and_writes_and_replaces_a_marked_output(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    usual = ("predict", "--images", images, "--model", colour_bundle, "--output", output)
    done = run(*usual)
    assert done.returncode == 0, done.stderr[-3000:]
    assert labels(store, "gallery/out") == expected()
    names = store.names("gallery/out")
    assert {"_SUCCESS", "_run/run.json"} <= set(names)
    assert not [name for name in names if "_INCOMPLETE" in name or "_temporary" in name]
    # Nothing is left beside the output: it was not renamed.
    top = {name.split("/")[0] for name in store.names("gallery")}
    assert top <= {"images", "out", "models", "table", "packed.parquet"}
    record = json.loads(store.read("gallery/out/_run/run.json"))
    assert record["counts"]["images"] == 9

    assert error(run(*usual)).startswith(f"sightline: OUTPUT_EXISTS: {output} exists already.")
    assert store.names("gallery/out") == names

    done = run(*usual, "--overwrite", "--limit", 2)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(labels(store, "gallery/out")) == 2
    assert not set(store.names("gallery/out")) & {n for n in names if n.startswith("part-")}


def test_a_table_of_paths_is_packed_and_predicted_from(
    store: Store, run: Callable[..., Done], images: str, output: str, colour_bundle: Path
) -> None:
    assert images
    lines = ["path,label", *(f"{name},{name.split('/')[0]}" for name in expected())]
    store.write("gallery/images/table.csv", "\n".join(lines).encode())
    packed = store.uri("gallery/out/packed.parquet")
    done = run("pack-images", "--images", store.uri("gallery/images/table.csv"), "--output", packed)
    assert done.returncode == 0, done.stderr[-3000:]
    done = run("predict", "--images", packed, "--model", colour_bundle, "--output", f"{output}/p")
    assert done.returncode == 0, done.stderr[-3000:]
    assert labels(store, "gallery/out/p") == expected()


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_features_and_pca_write_components_model_record_and_page(
    store: Store, run: Callable[..., Done], images: str, output: str, means_bundle: Path
) -> None:
    done = run("features", "--images", images, "--model", means_bundle, "--output", f"{output}/f")
    assert done.returncode == 0, done.stderr[-3000:]
    pca = ("--features", f"{output}/f", "--k", 2, "--no-split", "--no-thumbnails")
    done = run("pca", *pca, "--output", f"{output}/pca")
    assert done.returncode == 0, done.stderr[-3000:]
    names = store.names("gallery/out/pca")
    assert {"_SUCCESS", "run.json", "report.html", "pca_variance.png"} <= set(names)
    assert json.loads(store.read("gallery/out/pca/run.json"))["counts"]["rows"] == 9
    table = pq.read_table("gallery/out/pca/components", filesystem=store.files)
    assert table.num_rows == 9


def test_objects_are_listed_by_page_and_not_by_folder(
    store: Store, run: Callable[..., Done]
) -> None:
    query = f"SELECT count(*) AS n FROM read_images('{store.uri('many/images')}')"  # noqa: S608
    done = run("sql", "-e", query)
    assert done.returncode == 0, done.stderr[-3000:]
    # 100 folders. A page has the 5000 objects that both connectors ask for; S3 itself gives 1000.
    objects, pages = (10_000, 2) if store.cloud == "s3" else (2_000, 1)
    assert str(objects) in done.stdout
    assert pages <= store.proxy.counts["LIST"] <= pages + 3
