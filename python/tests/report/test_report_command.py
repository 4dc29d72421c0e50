import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.cli.main import main

from .page_reader import Reader, report

Encode = Callable[..., bytes]
Record = dict[str, Any]
WriteRun = Callable[..., Path]


def test_the_picture_is_written_beside_the_page(
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


def thumbnails(folder: Path, *more: str) -> tuple[int, str]:
    """The number of images on the page, and its text."""
    assert main(["report", str(folder), *more]) == 0
    page = Reader(folder / "report.html")
    sizes = base64.b64decode(page.data["thumbnails"]["sizes"])
    return sum(width > 0 for width in sizes[::2]), page.text


def test_only_images_of_the_run_below_the_given_roots_are_opened(
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
    record["features_run"]["images_root"] = str(private)  # the record may come from another person
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


def test_an_existing_page_is_replaced_only_with_overwrite(
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


def test_a_page_that_cannot_be_written_leaves_no_files(
    write_run: WriteRun, record: Record, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(record, photos)
    (folder / "report.html").mkdir()
    assert main(["report", str(folder)]) == 2
    assert "OUTPUT_NOT_WRITABLE" in capsys.readouterr().err
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"k": 0}, "pca.k is 0"),
        ({"k": 2}, "3 shares and not 2"),
        ({"explained_variance": [0.5, 0.2, 7]}, "not a list of shares"),
        ({"spectrum": "high"}, "not a list of shares"),
    ],
)
def test_a_record_with_an_invalid_pca_entry_is_refused(
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


def test_a_folder_that_is_not_a_run_is_refused(
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
def test_the_error_for_a_missing_package_has_its_name(
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
