import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.errors import WrongUseError
from sightline.source.list_images import ImageSource, list_images
from sightline.source.listing import Listing
from sightline.source.table_columns import TableColumns


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "cat/a.jpg", "cat/deep/c.PNG", "_run/run.json", ".hidden.jpg", "n.bin"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path / "photos"


def rows_of(listing: Listing, folder: Path) -> list[tuple[str, str | None]]:
    paths: list[Any] = listing.table.column("path").to_pylist()
    labels = listing.table.column("label").to_pylist()
    return [(p.removeprefix(f"{folder}/"), label) for p, label in zip(paths, labels, strict=True)]


def test_a_folder_lists_its_visible_images_sorted_with_its_folder_as_label(folder: Path) -> None:
    listing = list_images(ImageSource(str(folder)))
    assert rows_of(listing, folder) == [
        ("b.jpg", None),
        ("cat/a.jpg", "cat"),
        ("cat/deep/c.PNG", "deep"),
    ]
    assert listing.table.column("label_id").null_count == 3


def test_labels_folder_includes_the_top_folder_and_none_gives_no_labels(folder: Path) -> None:
    source = ImageSource(str(folder), labels="folder", limit=1)
    assert rows_of(list_images(source), folder) == [("b.jpg", "photos")]
    assert (
        list_images(ImageSource(str(folder), labels="none")).table.column("label").null_count == 3
    )


def test_paths_are_absolute_for_a_relative_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert list_images(ImageSource("photos")).files[0] == f"{folder}/b.jpg"


def test_a_glob_lists_its_matches_with_labels_below_its_fixed_part(folder: Path) -> None:
    listing = list_images(ImageSource(f"{folder}/*/*.jpg"))
    assert rows_of(listing, folder) == [("cat/a.jpg", "cat")]
    everything = list_images(ImageSource(f"{folder}/**"))
    assert [path for path, _ in rows_of(everything, folder)] == [
        "b.jpg",
        "cat/a.jpg",
        "cat/deep/c.PNG",
        "n.bin",
    ]


def test_the_listing_of_a_single_image_has_one_entry(folder: Path) -> None:
    assert list_images(ImageSource(f"{folder}/b.jpg")).files == [f"{folder}/b.jpg"]


def test_a_name_that_is_not_utf8_is_listed_and_can_be_opened(folder: Path) -> None:
    raw = os.fsencode(folder) + b"/a\xff.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"x")
    listing = list_images(ImageSource(str(folder)))
    assert listing.table.column("path")[0].as_py() == f"{folder}/a\ufffd.jpg"
    assert Path(listing.files[0]).read_bytes() == b"x"


def test_a_folder_that_cannot_be_opened_is_a_row_with_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    listing = list_images(ImageSource(str(folder)))
    (row,) = listing.errors
    assert listing.files[row] == f"{folder}/cat/deep"
    assert (listing.errors[row].code, listing.errors[row].stage) == ("DENIED", "list")


def test_a_dangling_link_is_listed_and_a_pipe_is_not(folder: Path) -> None:
    (folder / "link.jpg").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.jpg")
    names = [Path(file).name for file in list_images(ImageSource(str(folder))).files]
    assert names == ["b.jpg", "a.jpg", "c.PNG", "link.jpg"]


def test_links_to_folders_are_followed_except_to_parent_folders(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.jpg").write_bytes(b"x")
    (folder / "dog").symlink_to(tmp_path / "elsewhere")
    (folder / "cat" / "loop").symlink_to(folder)
    rows = rows_of(list_images(ImageSource(str(folder))), folder)
    assert [path for path, _ in rows] == [
        "b.jpg",
        "cat/a.jpg",
        "cat/deep/c.PNG",
        "dog/d.jpg",
    ]
    assert rows[3] == ("dog/d.jpg", "dog")


def test_the_columns_of_a_csv_come_before_the_added_columns(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('id,path,label,content,class_id\n7,"a, b.jpg",cat,x,3\n008,/c.jpg,,y,4\n')
    listing = list_images(ImageSource(str(table)))
    names = ["id", "input_content", "class_id", "path", "label", "label_id"]
    assert listing.table.column_names == names
    assert listing.table.to_pylist()[1] == {
        "id": "008",
        "input_content": "y",
        "class_id": "4",
        "path": "/c.jpg",
        "label": None,
        "label_id": 4,
    }
    assert listing.files == [f"{tmp_path}/a, b.jpg", "/c.jpg"]
    assert listing.table.schema.field("label_id").type == pa.int32()


def test_a_root_and_named_columns_are_used(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("where,what\n007,1\n")
    columns = TableColumns(path="where", label="what")
    listing = list_images(ImageSource(str(table), columns=columns, root=Path("/data")))
    assert listing.files == ["/data/007"]
    assert listing.table.column("label").to_pylist() == ["1"]


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_parquet_table_is_read_as_a_file_or_a_folder(*, as_folder: bool, tmp_path: Path) -> None:
    target = tmp_path / "t.parquet"
    rows = pa.table({"file": ["x.jpg", None], "score": [0.5, 0.25]})
    if as_folder:
        target.mkdir()
        pq.write_table(rows, target / "part-0.parquet")
        (target / "_SUCCESS").touch()
    else:
        pq.write_table(rows, target)
    listing = list_images(ImageSource(str(target)))
    assert listing.table.column_names == ["file", "score", "path", "label", "label_id"]
    assert listing.files == [f"{tmp_path}/x.jpg", ""]


def test_a_file_uri_in_a_table_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "path\nfile:///data/a%20b.jpg\nfile:/c.jpg\nfile://host/d?e#f.jpg\n"
    )
    assert list_images(ImageSource(f"{tmp_path}/t.csv")).files == [
        "/data/a%20b.jpg",
        "/c.jpg",
        "/d?e#f.jpg",
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "a,b\n1,2\n",
            "UNKNOWN_COLUMN: .*no column 'path' or 'image_path' or 'file'. It has: a, b.",
        ),
        ("path,class_id\nx.jpg,cat\n", "INVALID_LABEL_ID: .*'cat' in column 'class_id'"),
        ("path,class_id\nx.jpg,5.0\n", "INVALID_LABEL_ID: .*'5.0' in column 'class_id'"),
        ("path,class_id\nx.jpg,2147483648\n", "INVALID_LABEL_ID: .*'2147483648'"),
        ("path,a\nx.jpg,1,2\n", "BAD_TABLE: .*no column is there for '2'"),
        ("", "BAD_TABLE"),
        ("path\n", "NO_IMAGES"),
    ],
)
def test_the_error_for_an_invalid_csv_has_the_reason(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(WrongUseError, match=error):
        list_images(ImageSource(f"{tmp_path}/t.csv"))


@pytest.mark.parametrize("name", ["t.CSV", "t.csv", ".csv"])
def test_a_folder_of_csv_parts_is_one_table(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for part, text in (("1", "b.jpg,07\n"), ("0", 'a.jpg,""\n')):
        (folder / f"part-0000{part}").write_text(f"path,zip\n{text}")
    (folder / "_SUCCESS").touch()
    (folder / "part-00002").touch()
    listing = list_images(ImageSource(f"{folder}/"))
    assert listing.files == [f"{tmp_path}/a.jpg", f"{tmp_path}/b.jpg"]
    assert listing.table.column("zip").to_pylist() == [None, "07"]


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({}, "no CSV files"),
        ({"0": "path\n", "1": "file\n"}, "1 .*header differs from that of 0"),
    ],
)
def test_the_error_for_invalid_csv_parts_has_the_reason(
    parts: dict[str, str], error: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").mkdir()
    for name, text in parts.items():
        (tmp_path / "t.csv" / name).write_text(text)
    with pytest.raises(WrongUseError, match=f"BAD_TABLE: .*{error}"):
        list_images(ImageSource(f"{tmp_path}/t.csv"))


def test_a_path_is_a_table_only_by_its_suffix(tmp_path: Path) -> None:
    rows = pa.table({"path": ["x.jpg"], "class_id": [3.0]})
    pq.write_table(rows, tmp_path / "T.Parquet")
    listing = list_images(ImageSource(f"{tmp_path}/T.Parquet"))
    assert listing.table.column("label_id").to_pylist() == [3]
    (tmp_path / "parts").mkdir()
    pq.write_table(rows, tmp_path / "parts" / "a.parquet")
    assert list_images(ImageSource(f"{tmp_path}/parts", include="*")).files == [
        f"{tmp_path}/parts/a.parquet"
    ]
    with pytest.raises(WrongUseError, match="PATH_NOT_FOUND"):
        list_images(ImageSource(f"{tmp_path}/*.Parquet"))


def test_class_ids_may_be_absent_or_have_a_sign(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,class_id\na,\nb, +7 \nc,-1\n")
    listing = list_images(ImageSource(f"{tmp_path}/t.csv"))
    assert listing.table.column("label_id").to_pylist() == [None, 7, -1]


def test_a_named_column_that_is_missing_lists_the_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,a\nx,1\n")
    source = ImageSource(f"{tmp_path}/t.csv", columns=TableColumns(label="truth"))
    with pytest.raises(WrongUseError, match=r"no column 'truth'\. It has: path, a\."):
        list_images(source)


def test_an_empty_folder_and_a_missing_one_are_distinguished(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match="NO_IMAGES"):
        list_images(ImageSource(str(tmp_path)))
    for missing in (f"{tmp_path}/x", f"{tmp_path}/*.jpg"):
        with pytest.raises(WrongUseError, match="PATH_NOT_FOUND"):
            list_images(ImageSource(missing))


def test_a_table_labelled_by_folders_has_no_class_ids(tmp_path: Path) -> None:
    table = tmp_path / "cards.csv"
    table.write_text("path,label,class_id\nred/a.png,good,7\nb.png,bad,8\n")
    listing = list_images(ImageSource(str(table), labels="folder"))
    assert listing.table.column("label").to_pylist() == ["red", tmp_path.name]
    assert listing.table.column("label_id").to_pylist() == [None, None]
