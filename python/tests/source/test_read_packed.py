import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.errors import WrongUseError
from sightline.source.list_images import ImageSource, list_images
from sightline.source.read_images import read_images
from sightline.source.table_columns import TableColumns

ERROR = {"code": "DENIED", "stage": "read", "message": "no"}


def write_table(folder: Path, name: str = "t.parquet", **columns: list[Any]) -> str:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), file, row_group_size=3, use_dictionary=False)
    return str(folder / name.partition("/")[0])


def batches_of(
    images: str, rows: int, size: int = 1000, columns: TableColumns | None = None
) -> list[pa.RecordBatch]:
    source = ImageSource(images, columns=columns or TableColumns())
    return list(read_images(list_images(source), 100, rows, size))


def test_bytes_in_a_table_are_read_without_opening_the_files(tmp_path: Path) -> None:
    images = write_table(
        tmp_path,
        path=["/no/where/a.jpg", "/no/where/b.jpg"],
        label=["cat", None],
        kept=[7, 8],
        content=[b"aaa", b"b"],
    )
    (batch,) = batches_of(images, 10)
    assert batch.to_pylist() == [
        {
            "kept": 7,
            "path": "/no/where/a.jpg",
            "label": "cat",
            "label_id": None,
            "__content": b"aaa",
            "__error": None,
        },
        {
            "kept": 8,
            "path": "/no/where/b.jpg",
            "label": None,
            "label_id": None,
            "__content": b"b",
            "__error": None,
        },
    ]


def test_only_rows_without_bytes_have_the_error_of_the_table(tmp_path: Path) -> None:
    images = write_table(
        tmp_path,
        path=["a", "b", "c"],
        content=[None, None, b"c"],
        error=[ERROR, None, ERROR],
    )
    (batch,) = batches_of(images, 10)
    assert batch.column("__error").to_pylist() == [ERROR, None, None]
    assert batch.column("__content").to_pylist() == [None, None, b"c"]


def test_batches_have_at_most_the_given_rows_and_end_with_row_groups(tmp_path: Path) -> None:
    paths = [f"{i}" for i in range(7)]
    images = write_table(tmp_path, path=paths, content=[b"x" * 10_000] * 7)
    assert [batch.num_rows for batch in batches_of(images, 2, 10**6)] == [2, 1, 2, 1, 1]
    assert [batch.num_rows for batch in batches_of(images, 99, 10_000)] == [1] * 7
    first = list_images(ImageSource(images, limit=4))
    assert [batch.num_rows for batch in read_images(first, 100, 99, 10**6)] == [3, 1]


def test_parts_are_read_in_their_order(tmp_path: Path) -> None:
    for part in (1, 0):
        write_table(tmp_path, f"p.parquet/part-{part}.parquet", path=[f"{part}"], content=[b"x"])
    batches = batches_of(f"{tmp_path}/p.parquet", 10)
    assert [batch.column("path").to_pylist() for batch in batches] == [["0"], ["1"]]


def test_the_column_of_bytes_can_be_given_by_name(tmp_path: Path) -> None:
    images = write_table(tmp_path, path=["a"], jpeg=[b"j"], content=[b"c"], error=["mine"])
    (batch,) = batches_of(images, 10, columns=TableColumns(content="jpeg"))
    assert batch.column("__content").to_pylist() == [b"j"]
    own = ["input_content", "input_error"]
    assert batch.schema.names == [*own, "path", "label", "label_id", "__content", "__error"]
    assert batch.select(own).to_pylist() == [{"input_content": b"c", "input_error": "mine"}]
    with pytest.raises(WrongUseError, match=r"WRONG_COLUMN_TYPE: column 'path' of .*is string"):
        batches_of(images, 10, columns=TableColumns(content="path"))
    with pytest.raises(WrongUseError, match=r"UNKNOWN_COLUMN.*no column 'png'"):
        batches_of(images, 10, columns=TableColumns(content="png"))


def test_a_content_column_of_text_is_not_used_as_bytes(tmp_path: Path) -> None:
    images = write_table(tmp_path, path=["a"], content=["text"])
    (batch,) = batches_of(images, 10)
    assert batch.column("__error")[0].as_py()["code"] == "NOT_FOUND"


def test_the_folder_names_of_the_paths_can_be_the_labels(tmp_path: Path) -> None:
    images = write_table(tmp_path, path=["/photos/cat/a.jpg"], label=["dog"], content=[b"x"])
    source = ImageSource(images, labels="folder")
    (batch,) = read_images(list_images(source), 100, 10, 1000)
    assert batch.column("label").to_pylist() == ["cat"]
    assert batch.column("__content").to_pylist() == [b"x"]


def test_a_table_that_lost_rows_since_it_was_listed_is_refused(tmp_path: Path) -> None:
    images = write_table(tmp_path, path=["a", "b"], content=[b"x", b"y"])
    listing = list_images(ImageSource(images))
    write_table(tmp_path, path=["a"], content=[b"x"])
    with pytest.raises(WrongUseError, match=r"BAD_TABLE.*had 2 rows .*, and now has 1"):
        list(read_images(listing, 100, 10, 1000))


def test_the_bytes_of_a_nested_column_are_not_read_to_list_its_rows(tmp_path: Path) -> None:
    # Random, because Parquet is compressed.
    image = {"bytes": os.urandom(5_000_000), "path": "a", "meta": {"jpeg": os.urandom(5_000_000)}}
    images = write_table(tmp_path, image=[image], n=[1])
    before = _bytes_read()
    listing = list_images(ImageSource(images, columns=TableColumns(content="image.meta.jpeg")))
    # The struct's other fields are kept, including its other bytes.
    assert 5_000_000 < _bytes_read() - before < 6_000_000
    assert listing.table.column("image").to_pylist() == [{"bytes": image["bytes"], "path": "a"}]
    assert listing.table.column("path").to_pylist() == ["t.parquet#0"]


def _bytes_read() -> int:
    """Bytes read by this process, including reads from a cache."""
    counters = Path("/proc/self/io").read_text("ascii")
    return int(counters.split("rchar: ")[1].split()[0])
