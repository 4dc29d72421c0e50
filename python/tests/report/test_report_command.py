import base64
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sightline
from sightline.cli.main import main

Encode = Callable[..., bytes]
Record = dict[str, Any]
WriteRun = Callable[..., Path]


class Reader(HTMLParser):
    """What is on a page: its text, its elements and the data of its script."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._inside = ""
        self.data: Record = {}
        self.feed(page.read_text("utf-8"))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and data.startswith("{"):
            self.data = json.loads(data)
        elif self._inside not in ("script", "style"):
            self.words.append(data)


def report(folder: Path, *more: str) -> Reader:
    assert main(["report", str(folder), "--any-image", *more]) == 0
    return Reader(folder / "report.html")


@pytest.fixture
def photos(tmp_path: Path, encode: Encode) -> list[str]:
    (tmp_path / "photos").mkdir()
    paths = [tmp_path / "photos" / f"{colour}.png" for colour in ("red", "green", "blue", "white")]
    for path in paths:
        path.write_bytes(encode(path.stem))
    return list(map(str, paths))


def test_the_page_says_what_ran_and_what_came_of_it(
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


def test_a_reader_sees_the_same_text_as_ever(
    write_run: WriteRun, record: Record, photos: list[str], tmp_path: Path
) -> None:
    page = report(write_run(record, photos), "--no-thumbnails")
    text = page.text.replace(str(tmp_path), "TMP")
    text = re.sub(r"Written by Sightline .* UTC\.", "Written by Sightline.", text)
    # One line for each sentence or cell would hide which words stand beside each other.
    expected = Path(__file__).with_name("page.txt").read_text("utf-8")
    assert text.split() == expected.split()


def test_the_page_is_written_from_a_zip_of_the_package_as_the_jar_does(
    write_run: WriteRun, record: Record, photos: list[str], tmp_path: Path
) -> None:
    folder = write_run(record, photos)
    package = Path(sightline.__file__).parent
    archive = tmp_path / "sightline.zip"
    with zipfile.ZipFile(archive, "w") as sources:
        # The endings that build.sbt puts into the jar.
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


def test_the_picture_lies_beside_the_page(
    write_run: WriteRun, record: Record, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(record, photos)
    report(folder)
    assert (folder / "pca_variance.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.iterdir()) == [
        *("pca_variance.png", "report.html", "run.json", "sample")
    ]
    out = capsys.readouterr().out
    assert "points     4\n" in out
    assert f"page       {folder}/report.html" in out
    assert f"chart      {folder}/pca_variance.png" in out


def test_nothing_on_the_page_may_be_loaded_or_run_but_its_own_script(
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


def test_an_image_that_cannot_be_read_is_a_point_all_the_same(
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


def thumbnails(folder: Path, *more: str) -> tuple[int, str]:
    """How many images the page shows, and its text."""
    assert main(["report", str(folder), *more]) == 0
    page = Reader(folder / "report.html")
    sizes = base64.b64decode(page.data["thumbnails"]["sizes"])
    return sum(width > 0 for width in sizes[::2]), page.text


def test_only_images_of_the_run_and_below_the_roots_that_are_given_are_opened(
    write_run: WriteRun,
    record: Record,
    photos: list[str],
    tmp_path: Path,
    encode: Encode,
    capsys: pytest.CaptureFixture[str],
) -> None:
    private = tmp_path / "photos-private"
    private.mkdir()
    (private / "card.png").write_bytes(encode("red"))
    folder = tmp_path / "run"
    record["features_run"]["images_root"] = str(private)  # a stranger's word
    others = ["card.png", f"file:{private}/card.png", f"{folder}/own.png", f"{folder}/link.png"]
    others += [f"{tmp_path}/photos/../photos-private/card.png", "s3a://somebody/a.png"]
    assert write_run(record, [*photos, *others]) == folder
    (folder / "own.png").write_bytes(encode("blue"))
    (folder / "link.png").symlink_to(private / "card.png")

    assert thumbnails(folder)[0] == 1
    out = capsys.readouterr().out
    assert "denied     9 of them are outside RUN and every --images-root" in out

    shown, text = thumbnails(folder, "--images-root", str(tmp_path / "photos"))
    assert shown == 5
    assert "5 of these images could not be read for their thumbnails (DENIED 5)" in text

    both = ["--images-root", f"file:{tmp_path}/photos", "--images-root", str(private)]
    assert thumbnails(folder, *both)[0] == 9

    shown, text = thumbnails(folder, "--any-image")
    assert shown == 9
    assert "(IO 1)" in text


def test_relative_paths_of_a_table_start_from_its_root(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    record["features_run"]["images_root"] = f"file:{Path(photos[0]).parent}"
    page = report(write_run(record, [photos[0], *(Path(photo).name for photo in photos[1:])]))
    assert "could not be read" not in page.text


def test_file_uris_are_read_as_hadoop_writes_them(
    write_run: WriteRun, record: Record, tmp_path: Path, encode: Encode
) -> None:
    strange = tmp_path / "a b%20c#d?.png"
    strange.write_bytes(encode("red"))
    page = report(write_run(record, [f"file:{strange}", f"file://{strange}", str(strange)]))
    assert "could not be read" not in page.text


def test_without_thumbnails_no_picture_is_on_the_page(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    page = report(write_run(record, photos), "--no-thumbnails")
    assert page.data["thumbnails"] is None
    assert "written without thumbnails" in page.text
    assert "data:image" not in (page.text + json.dumps(page.data))


def test_fewer_points_are_drawn_the_same_way_each_time(
    write_run: WriteRun, record: Record, photos: list[str]
) -> None:
    folder = write_run(record, [f"{n}.png" for n in range(50)])
    record["sample"] = {"rows": 50, "of": 1234}
    (folder / "run.json").write_text(json.dumps(record))
    first, second = (report(folder, "--points", "10", "--no-thumbnails").data for _ in "ab")
    assert first["count"] == 10
    assert first["paths"] == second["paths"]
    assert "A sample of 10 of the run's 1,234 images" in Reader(folder / "report.html").text


def test_output_is_replaced_only_if_asked(
    write_run: WriteRun,
    record: Record,
    photos: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, page = write_run(record, photos), tmp_path / "there" / "page.html"
    arguments = ["report", str(folder), "--output", str(page)]
    assert main(arguments) == 0
    assert (page.parent / "pca_variance.png").is_file()
    assert main(arguments) == 2
    assert "OUTPUT_EXISTS" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    assert main(["report", str(folder)]) == 0
    assert main(["report", str(folder)]) == 0  # its own page is always replaced


def test_the_page_replaces_neither_an_image_nor_a_record_of_its_run(
    write_run: WriteRun, record: Record, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(record, photos)
    for output in (photos[0], folder / "run.json"):
        before = Path(output).read_bytes()
        assert main(["report", str(folder), "--output", str(output), "--overwrite"]) == 2
        assert "OUTPUT_HOLDS_INPUT" in capsys.readouterr().err
        assert Path(output).read_bytes() == before


def test_a_page_that_cannot_be_written_leaves_nothing(
    write_run: WriteRun, record: Record, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(record, photos)
    (folder / "report.html").mkdir()
    assert main(["report", str(folder)]) == 2
    assert "OUTPUT_NOT_WRITABLE" in capsys.readouterr().err
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_run_with_the_least_in_it_still_has_a_page(tmp_path: Path) -> None:
    pca = {"k": 1, "explained_variance": [0.4], "components_for": {"0.90": None}}
    (tmp_path / "run.json").write_text(json.dumps({"command": "pca", "pca": pca}))
    text = report(tmp_path).text
    assert "The one component kept explains 40.0%" in text
    assert "The run has no sample of its images" in text
    assert "run.json lists no classes" in text


def test_predictions_have_a_page_of_what_they_have(
    colour_bundle: Path, photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(photos[3]).write_bytes(b"no image")
    images, output = str(Path(photos[0]).parent), tmp_path / "predictions"
    arguments = ["--images", images, "--model", str(colour_bundle), "--output", str(output)]
    assert main(["predict", *arguments]) == 0
    assert main(["report", str(output)]) == 0
    # Beside the data it would be taken for data.
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


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"k": 0}, "pca.k is 0"),
        ({"k": 2}, "3 shares and not 2"),
        ({"explained_variance": [0.5, 0.2, 7]}, "not a list of shares"),
        ({"spectrum": "high"}, "not a list of shares"),
    ],
)
def test_a_record_that_lacks_what_a_pca_must_say_is_refused(
    write_run: WriteRun,
    record: Record,
    photos: list[str],
    change: Record,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record["pca"] |= change
    folder = write_run(record | {"pca": record["pca"] | {"k": 3}}, photos)
    (folder / "run.json").write_text(json.dumps(record))
    assert main(["report", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "DAMAGED_RUN" in error
    assert why in error


def test_what_is_no_run_is_refused(
    tmp_path: Path, write_run: WriteRun, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(folder: Path) -> str:
        assert main(["report", str(folder)]) == 2
        return capsys.readouterr().err

    (tmp_path / "empty").mkdir()
    assert "PATH_NOT_FOUND" in refusal(tmp_path / "none")
    assert "NOT_A_RUN" in refusal(tmp_path / "empty")
    for text in ("{", "[]", '{"command": 3}', "[" * 100_000, '{"command": "pca", "pca": 1}'):
        (tmp_path / "empty" / "run.json").write_text(text)
        assert "DAMAGED_RUN" in refusal(tmp_path / "empty")
    folder = write_run(record, ["a.png"])
    (folder / "sample" / "part-00001.parquet").write_bytes(b"PAR1 no Parquet")
    assert "DAMAGED_RUN" in refusal(folder)


def test_components_that_are_not_those_of_the_record_are_refused(
    write_run: WriteRun, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(record, ["a.png", "b.png"])
    for components, why in (
        ([[1.0, 2.0, 3.0], [1.0]], "run.json says 3"),
        ([[1.0, 2.0, 3.0], None], "run.json says 3"),
        ([[1.0, 2.0, 3.0], [1.0, 2.0, float("nan")]], "not finite"),
        ([[1.0, 2.0, 3.0], [1.0, 2.0, None]], "not finite"),
    ):
        texts = {name: ["a", "b"] for name in ("path", "label", "split")}
        table = pa.table({**texts, "components": pa.array(components, pa.list_(pa.float32()))})
        pq.write_table(table, folder / "sample" / "part-00000.parquet")
        assert main(["report", str(folder)]) == 2
        assert why in capsys.readouterr().err


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_package_is_named(
    write_run: WriteRun, record: Record, photos: list[str], package: str
) -> None:
    folder = write_run(record, photos)
    program = (
        "import importlib.util as u, sys; found = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == sys.argv[2] else found(name, *a); "
        "from sightline.cli.main import main; sys.exit(main(['report', sys.argv[1]]))"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, str(folder), package],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert f"MISSING_PACKAGE: sightline report needs the package {package}, which" in run.stderr
    assert "pip install 'sightline[report]'" in run.stderr
