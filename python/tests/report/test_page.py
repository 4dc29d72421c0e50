"""The content of the report's page."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sightline
from sightline.cli.main import main

from .page_reader import Reader, report

Encode = Callable[..., bytes]
Record = dict[str, Any]
WriteRun = Callable[..., Path]


def test_the_page_has_the_arguments_and_the_results_of_the_run(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    text = report(write_run(record, photos)).text
    for expected in (
        "tiny_net",
        "ab" * 32,
        "onnx",
        "Components (k) 3",
        "compression 2.67",
        "90%: 4, 95%: 5, 99%: 7",
        "Rows train 3, test 1",
        "6.2 images/s",  # 5 images in 0.8 s
        "2026-11-22 16:50 UTC",
        "9.8.7",
        "features --images photos",
        "pca --features 'some features' --k 3",
        "pear 2 1",
        "(no label) 1 0",
        "The 3 components kept explain 85.0% of the variance",
        "PC2 25.00% 75.00%",
        "CORRUPT 1",
        "photos/bad.jpg CORRUPT decode No EOI.",
        "pca fit pca 6.50 s",
    ):
        assert expected in text, expected


def test_the_text_of_the_page_is_equal_to_the_expected_text(
    write_run: WriteRun, record: Record, photos: list[str], tmp_path: Path
) -> None:
    page = report(write_run(record, photos), "--no-thumbnails")
    text = page.text.replace(str(tmp_path), "TMP")
    text = re.sub(r"Written by Sightline .* UTC\.", "Written by Sightline.", text)
    # Compared word by word, because line breaks have no meaning on the page.
    expected = Path(__file__).with_name("page.txt").read_text("utf-8")
    assert text.split() == expected.split()


def test_the_page_is_written_from_a_zip_of_the_package_as_the_jar_does(
    write_run: WriteRun, record: Record, photos: list[str], tmp_path: Path
) -> None:
    folder = write_run(record, photos)
    package = Path(sightline.__file__).parent
    archive = tmp_path / "sightline.zip"
    with zipfile.ZipFile(archive, "w") as sources:
        # The suffixes of the files that build.sbt adds to the jar.
        for file in package.rglob("*"):
            if file.suffix in (".py", ".css", ".html", ".js", ".json"):
                sources.write(file, file.relative_to(package.parent))
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "sightline", "report", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(archive)},
    )
    assert run.returncode == 0, run.stderr
    assert "The 3 components kept explain 85.0%" in Reader(folder / "report.html").text


def test_the_page_loads_nothing_and_runs_only_its_own_script(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    page = report(write_run(record, photos))
    (policy,) = (a["content"] for _, a in page.elements if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not [a for _, a in page.elements if {"style", "onclick"} & set(a)]
    loaded = [a.get("src") or a.get("srcset") for _, a in page.elements]
    assert all(one.startswith("data:image/png;base64,") for one in loaded if one)
    assert all(str(a["href"]).startswith("#") for _, a in page.elements if "href" in a)


HOSTILE = "</script><script>alert(1)</script>'\"&amp;<!--\u2028\u202e😀"


def test_hostile_text_is_text(write_run: WriteRun, record: Record, photos: list[str]) -> None:
    record["classes"] = [{"label": HOSTILE, "train": 1, HOSTILE: 2}]
    record["counts"]["errors"] = {HOSTILE: 1}
    record["error_samples"] = [{"path": HOSTILE, "code": "IO", "message": HOSTILE * 1000}]
    record["features_run"]["model"]["name"] = HOSTILE
    record["arguments"] = ["--features", HOSTILE, "lone \ud800"]
    record["started"] = HOSTILE
    record["seconds"] = {HOSTILE: 1.0}
    page = report(write_run(record, [*photos, HOSTILE], [HOSTILE] * 5))
    assert page.data["labels"] == [HOSTILE]
    assert HOSTILE in page.data["paths"]
    assert page.text.count("</script><script>alert(1)</script>'\"&amp;") >= 7
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert len(page.text) < 20_000


def test_an_image_that_cannot_be_read_still_has_a_point(
    write_run: WriteRun, record: Record, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Path(photos[0])
    bad.write_bytes(b"no image")
    others = [f"{bad.parent}/gone.jpg", "nowhere://bucket/a.jpg", "s3a://b?x=y/a.jpg", "/dev/zero"]
    page = report(write_run(record, [*photos, *others]))
    assert page.data["count"] == 8
    assert "5 of these images could not be read" in page.text
    assert "(IO 3, NOT_FOUND 1, UNSUPPORTED 1)" in page.text
    assert "unreadable 5 images" in capsys.readouterr().out


def test_without_thumbnails_no_picture_is_on_the_page(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    page = report(write_run(record, photos), "--no-thumbnails")
    assert page.data["thumbnails"] is None
    assert "written without thumbnails" in page.text
    assert "data:image" not in (page.text + json.dumps(page.data))


def test_the_sampled_points_are_the_same_each_time(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    folder = write_run(record, [f"{n}.png" for n in range(50)])
    record["sample"] = {"rows": 50, "of": 1234}
    (folder / "run.json").write_text(json.dumps(record))
    first, second = (report(folder, "--points", "10", "--no-thumbnails").data for _ in "ab")
    assert first["count"] == 10
    assert first["paths"] == second["paths"]
    assert "A sample of 10 of the run's 1,234 images" in Reader(folder / "report.html").text


def test_a_run_with_minimal_data_has_a_page(tmp_path: Path) -> None:
    pca = {"k": 1, "explained_variance": [0.4], "components_for": {"0.90": None}}
    (tmp_path / "run.json").write_text(json.dumps({"command": "pca", "pca": pca}))
    text = report(tmp_path).text
    assert "The one component kept explains 40.0%" in text
    assert "The run has no sample of its images" in text
    assert "run.json lists no classes" in text


def test_a_run_of_predict_has_a_page(
    colour_bundle: Path, photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(photos[3]).write_bytes(b"no image")
    images, output = str(Path(photos[0]).parent), tmp_path / "predictions"
    arguments = ["--images", images, "--model", str(colour_bundle), "--output", str(output)]
    assert main(["predict", *arguments]) == 0
    assert main(["report", str(output)]) == 0
    # The page is in _run/, because Spark would read a file beside the data as data.
    assert f"page       {output}/_run/report.html" in capsys.readouterr().out
    assert sorted(path.name for path in output.iterdir()) == ["_run", "part-00000.parquet"]
    text = Reader(output / "_run" / "report.html").text
    for expected in ("Predictions", "Predicted classes", "red 1", "(no label) 1", "UNSUPPORTED 1"):
        assert expected in text
    assert "infer predict" in text


def test_features_are_counted_by_label_and_split(tmp_path: Path) -> None:
    rows = {"path": list("abc"), "label": ["pear", "pear", "fig"], "split": ["train", "test", None]}
    pq.write_table(pa.table(rows), tmp_path / "part-0.parquet")
    (tmp_path / "_run").mkdir()
    (tmp_path / "_run" / "run.json").write_text(json.dumps({"command": "features"}))
    assert main(["report", str(tmp_path)]) == 0
    text = Reader(tmp_path / "_run" / "report.html").text
    assert "fig 0 0 1" in text
    assert "pear 1 1 0" in text
