from pathlib import Path

import pytest

from sightline.errors import SightlineError, WrongUseError
from sightline.publish import publish_folder

THERE = WrongUseError("OUTPUT_EXISTS", "it is there.")


def test_the_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "deep" / "out", THERE) as folder:
        (folder / "a").write_text("new")
        assert not (tmp_path / "deep" / "out").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert (tmp_path / "deep" / "out" / "a").read_text() == "new"


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_is_replaced_only_when_asked(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.touch()
    else:
        out.symlink_to("nowhere")
    with pytest.raises(WrongUseError, match="OUTPUT_EXISTS"), publish_folder(out, THERE):
        pytest.fail("the block ran")
    with publish_folder(out, None):
        pass
    assert out.is_dir()
    assert not out.is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    with pytest.raises(KeyError), publish_folder(tmp_path / "out", None):
        raise KeyError
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def refuse_renames(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.name in refused.split():
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_when_the_second_rename_fails_the_old_folder_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    refuse_renames(monkeypatch, "new")
    with pytest.raises(OSError, match="Input/output"), publish_folder(tmp_path / "out", None):
        pass
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_when_nothing_can_be_put_back_it_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    refuse_renames(monkeypatch, "new old")
    with (
        pytest.raises(
            SightlineError, match=r"PUBLISH_FAILED: .*/old'\. Rename it by hand"
        ) as error,
        publish_folder(tmp_path / "out", None),
    ):
        pass
    (kept,) = tmp_path.iterdir()
    assert (kept / "old" / "a").read_text() == "old"
    assert str(kept) in str(error.value)


def test_a_folder_that_cannot_be_made_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(WrongUseError, match="OUTPUT_NOT_WRITABLE"),
        publish_folder(tmp_path / "file" / "out", THERE),
    ):
        pytest.fail("the block ran")
