"""Copies with a local folder as the store, which has no hashes; tests/clouds has real stores."""

from pathlib import Path

import pytest
from pyarrow import fs

from sightline.cli.transfer_options import run_copy
from sightline.errors import WrongUseError
from sightline.transfer.copy_files import download, upload
from sightline.transfer.remote_folder import RemoteFolder


class Flat(fs.SubTreeFileSystem):
    """Bucket names are folders of this machine."""


def remote(folder: Path, name: str = "bucket/x") -> RemoteFolder:
    return RemoteFolder(Flat(str(folder), fs.LocalFileSystem()), name, f"s3://{name}")


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_files_are_copied_to_the_store_and_back_and_the_progress_ends_at_all_bytes(
    tmp_path: Path,
) -> None:
    (tmp_path / "bucket/x/a").mkdir(parents=True)
    (tmp_path / "from/a").mkdir(parents=True)
    (tmp_path / "from/a/one.txt").write_text("one")
    (tmp_path / "from/_SUCCESS").write_text("")
    shown: list[tuple[int, int]] = []
    store = remote(tmp_path)
    sent = upload(tmp_path / "from", store, 2, lambda *numbers: shown.append(numbers))
    assert (sent.copied, sent.present, sent.bytes) == (2, 0, 3)
    assert (shown[0], shown[-1]) == ((0, 3), (3, 3))
    got = download(store, tmp_path / "to", 2, lambda *_: None)
    # This store has no hash: the files are copied, and counted as not checked.
    assert (got.copied, sorted(got.unchecked), got.read_twice) == (2, ["_SUCCESS", "a/one.txt"], 0)
    assert files(tmp_path / "to") == {"a/one.txt": "one", "_SUCCESS": ""}


def test_files_without_a_hash_in_the_store_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bucket/x").mkdir(parents=True)
    for name in ("d", "a", "c", "b"):
        (tmp_path / "bucket/x" / name).write_text(name)
    for state in ("copied     4 files", "present    4 files"):
        run_copy(lambda show: download(remote(tmp_path), tmp_path / "to", 2, show), "to")
        shown = capsys.readouterr().out
        assert state in shown
        assert "unchecked  4 files: the store has no MD5 of them, so only their sizes " in shown
        assert "were compared (a, b, c, …)\n" in shown


def test_a_part_of_a_file_is_continued(tmp_path: Path) -> None:
    (tmp_path / "bucket/x").mkdir(parents=True)
    (tmp_path / "bucket/x/long.txt").write_text("0123456789")
    (tmp_path / "to").mkdir()
    (tmp_path / "to/.long.txt..part").write_text("ABCD")
    download(remote(tmp_path), tmp_path / "to", 1, lambda *_: None)
    assert files(tmp_path / "to") == {"long.txt": "ABCD456789"}


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("bucket/none", "PATH_NOT_FOUND"),
        ("gone/x", "BUCKET_NOT_FOUND"),
        ("bucket/half", "OUTPUT_INCOMPLETE"),
    ],
)
def test_a_folder_that_cannot_be_read_is_an_error(
    name: str, condition: str, tmp_path: Path
) -> None:
    (tmp_path / "bucket/half").mkdir(parents=True)
    (tmp_path / "bucket/half/_INCOMPLETE").write_text("{}")
    with pytest.raises(WrongUseError) as caught:
        download(remote(tmp_path, name), tmp_path / "to", 1, lambda *_: None)
    assert caught.value.code == condition
