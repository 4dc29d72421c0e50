"""The archive: reproducible, complete or absent, and checked in another folder."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
from pathlib import Path

import pytest

from sightline.environment.environment_archive import ArchiveFile, archive_files, write_archive
from sightline.environment.interpreter_files import interpreter
from sightline.environment.shared_libraries import check_moved, load_here, needed_libraries
from sightline.errors import WrongUseError


def accept(_: object) -> None:
    """Accept every archive, and take no note of progress."""


def test_the_same_files_give_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(b"code")
    library.chmod(0o600)
    files = {"bin/python": ArchiveFile(b"#!/bin/sh\n", 0o755), "lib/a.so": ArchiveFile(library)}
    sizes: list[int] = []
    first = write_archive(files, tmp_path / "first.tar.gz", accept, sizes.append)
    os.utime(library, (1_000_000, 1_000_000))
    second = write_archive(files, tmp_path / "second.tar.gz", accept, accept)
    assert first == second
    assert sizes == [10, 4]
    assert first == hashlib.sha256((tmp_path / "second.tar.gz").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "first.tar.gz") as archive:
        assert [(one.name, one.mode, one.size) for one in archive] == [
            ("bin/python", 0o755, 10),
            ("lib/a.so", 0o644, 4),
        ]


def test_an_archive_that_fails_its_check_replaces_nothing(tmp_path: Path) -> None:
    output = tmp_path / "environment.tar.gz"
    output.write_text("the old one")

    def refuse(_: Path) -> None:
        raise WrongUseError("PYTHON_NOT_RELOCATABLE", "no.")

    with pytest.raises(WrongUseError, match="PYTHON_NOT_RELOCATABLE"):
        write_archive({"a": ArchiveFile(b"")}, output, refuse, accept)
    assert output.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_that_cannot_be_read_is_an_error_of_its_package(tmp_path: Path) -> None:
    file = tmp_path / "package.py"
    file.mkdir()  # a folder: not even root can read it as a file
    output = tmp_path / "environment.tar.gz"
    with pytest.raises(WrongUseError, match=f"'{file}' cannot be read") as raised:
        write_archive({"a": ArchiveFile(file)}, output, accept, accept)
    assert raised.value.code == "PACKAGE_NOT_PACKABLE"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUseError, match="OUTPUT_NOT_WRITABLE"):
        write_archive({}, tmp_path / "file" / "environment.tar.gz", accept, accept)


def test_an_interpreter_whose_libraries_are_left_out_does_not_pass_the_check(
    tmp_path: Path,
) -> None:
    here = load_here([])
    if not needed_libraries(here):
        pytest.skip("this Python has all of its libraries in its own files")
    output = tmp_path / "environment.tar.gz"
    with pytest.raises(WrongUseError, match="PYTHON_NOT_RELOCATABLE") as raised:
        write_archive(
            archive_files([], []), output, lambda file: check_moved(file, [], here), accept
        )
    assert "when its files are in another folder" in raised.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [
        ("base_prefix", "/usr", "belongs to the operating system, whose folders it needs"),
        ("platform", "darwin", "is for darwin, but the nodes run Linux"),
    ],
)
def test_an_interpreter_that_cannot_be_moved_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: str, why: str
) -> None:
    monkeypatch.setattr(sys, attribute, value)
    with pytest.raises(WrongUseError, match="PYTHON_NOT_RELOCATABLE") as raised:
        interpreter()
    assert why in raised.value.message
    assert "Make an environment with a Python of its own" in raised.value.message
