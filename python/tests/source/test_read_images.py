from pathlib import Path
from typing import Any

import pytest

from sightline.source.file_filter import FileFilter
from sightline.source.list_folder import list_folder
from sightline.source.list_images import ImageSource, list_images
from sightline.source.listing import Listing
from sightline.source.read_images import read_images


def listing_of(tmp_path: Path, *paths: str) -> Listing:
    (tmp_path / "t.csv").write_text("path\n" + "".join(f'"{path}"\n' for path in paths))
    return list_images(ImageSource(f"{tmp_path}/t.csv"))


def test_bytes_are_read_in_the_order_of_the_listing(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode() * 3)
    (batch,) = read_images(listing_of(tmp_path, "c", "a", "c"), 100, 10, 1000)
    assert batch.column("__content").to_pylist() == [b"ccc", b"aaa", b"ccc"]
    assert batch.column("__error").null_count == 3
    assert batch.schema.names == ["path", "label", "label_id", "__content", "__error"]


def test_batches_end_by_rows_and_by_bytes(tmp_path: Path) -> None:
    for i in range(7):
        (tmp_path / f"{i}").write_bytes(b"x" * 10)
    listing = listing_of(tmp_path, *(str(i) for i in range(7)))
    assert [b.num_rows for b in read_images(listing, 100, 3, 1000)] == [3, 3, 1]
    assert [b.num_rows for b in read_images(listing, 100, 100, 20)] == [2, 2, 2, 1]


def test_a_file_that_cannot_be_read_is_a_row_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large").write_bytes(b"x" * 101)
    (tmp_path / "folder").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "grows").write_bytes(b"x")
    (tmp_path / "faulty").write_bytes(b"x")
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "secret":
            raise PermissionError(13, "Permission denied")
        if path.name == "faulty":
            raise OSError(5, "Input/output error")
        return real(path) + (b"y" if path.name == "grows" else b"")

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    names = ("gone", "large", "folder", "secret", "grows", "faulty", "large/x", "")
    (batch,) = read_images(listing_of(tmp_path, *names), 100, 10, 1000)
    errors: list[Any] = batch.column("__error").to_pylist()
    assert [error["code"] for error in errors] == [
        "NOT_FOUND",
        "TOO_LARGE",
        "IO",
        "DENIED",
        "CHANGED",
        "IO",
        "NOT_FOUND",
        "NOT_FOUND",
    ]
    assert {error["stage"] for error in errors} == {"read"}
    assert batch.column("__content").null_count == len(names)


def test_an_error_of_listing_is_an_error_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def scandir(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    (batch,) = read_images(list_folder(tmp_path, "auto", FileFilter()), 100, 10, 1000)
    assert batch.column("path").to_pylist() == [str(tmp_path)]
    assert batch.column("__error").to_pylist() == [
        {"code": "DENIED", "stage": "list", "message": "Permission denied."}
    ]
