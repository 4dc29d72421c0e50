"""`sightline pack`: a cluster whose nodes have no Python, run by the line that it prints."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .standalone import StandaloneCluster

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def printed(alone: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The standalone line of an archive with the packages of the backend onnx."""
    archive = tmp_path_factory.mktemp("pack") / "environment.tar.gz"
    done = alone("pack", "--output", archive, "--target", "standalone", "--backend", "onnx")
    assert done.returncode == 0, done.stderr
    shown = dict(line.split(None, 1) for line in done.stdout.splitlines() if line[:1].isalpha())
    assert shown["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert "onnxruntime " in shown["packages"]
    assert "torch" not in shown["packages"]
    assert [one.name for one in archive.parent.iterdir()] == [archive.name]
    yield done.stdout[done.stdout.index("spark-submit") :]
    archive.unlink()


@pytest.fixture
def run_printed(
    cluster: StandaloneCluster, run_in: Callable[..., Done], printed: str, tmp_path: Path
) -> Callable[..., Done]:
    """Run the printed line in a shell, with other texts for some of its words."""
    # The workers of this cluster have more cores than this machine.
    settings = tmp_path / "conf"
    settings.mkdir()
    (settings / "spark-defaults.conf").write_text(
        "spark.cores.max 2\nspark.executor.cores 2\nspark.executor.memory 512m\n"
        "spark.ui.enabled false\nspark.sql.shuffle.partitions 2\n"
    )

    def call(**words: object) -> Done:
        line = printed.replace("spark://MASTER:7077", cluster.master)
        for word, text in words.items():
            assert word in line
            line = line.replace(word, str(text))
        return run_in("/bin/sh", "-c", line, SPARK_CONF_DIR=str(settings))

    return call


def test_the_printed_line_gives_the_rows_of_a_local_run(
    run_printed: Callable[..., Done],
    run_command: Callable[..., Done],
    colour_bundle: Path,
    gallery: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    done = run_printed(IMAGES=gallery, MODEL=colour_bundle, OUTPUT=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    local = run_command(
        *("predict", "--images", gallery, "--model", colour_bundle),
        *("--output", tmp_path / "local"),
    )
    assert local.returncode == 0, local.stderr
    rows = rows_of(tmp_path / "out")
    assert rows == rows_of(tmp_path / "local")
    assert [row["prediction"]["label"] for row in rows if row["prediction"]][:2] == ["blue", "blue"]


@pytest.mark.slow
def test_pca_computes_with_the_archive_and_writes_its_report_with_the_drivers_python(
    run_printed: Callable[..., Done],
    run_command: Callable[..., Done],
    means_bundle: Path,
    gallery: Path,
    tmp_path: Path,
) -> None:
    features = run_command(
        *("features", "--images", gallery, "--model", means_bundle),
        *("--output", tmp_path / "features"),
    )
    assert features.returncode == 0, features.stderr
    # The archive has no matplotlib.
    done = run_printed(
        **{
            "predict --images IMAGES --model MODEL --output OUTPUT": "pca --features "
            f"{tmp_path / 'features'} --k 2 --no-split --output {tmp_path / 'pca'}"
        }
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pca" / "report.html").is_file()
    record = json.loads((tmp_path / "pca" / "run.json").read_text())
    assert record["pca"]["k"] == 2
