import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.errors import SightlineError, WrongUseError
from sightline.publish import publish_folder
from sightline.run_owner import current

THERE = WrongUseError("OUTPUT_EXISTS", "it is there.")


def test_the_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "deep" / "out", THERE) as folder:
        (folder / "a").write_text("new")
        assert not (tmp_path / "deep" / "out").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert (tmp_path / "deep" / "out" / "a").read_text() == "new"


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_an_existing_output_is_replaced_only_with_overwrite(kind: str, tmp_path: Path) -> None:
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


def test_a_block_that_fails_keeps_the_old_output(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    with pytest.raises(KeyError), publish_folder(tmp_path / "out", None):
        raise KeyError
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def refuse_renames(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if any(f".{name}-" in path.name for name in refused.split()):
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_the_old_folder_is_restored_if_the_second_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    refuse_renames(monkeypatch, "incomplete")
    with pytest.raises(OSError, match="Input/output"), publish_folder(tmp_path / "out", None):
        pass
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_error_has_the_path_of_the_old_folder_if_it_cannot_be_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    refuse_renames(monkeypatch, "incomplete replaced")
    with (
        pytest.raises(
            SightlineError, match=r"PUBLISH_FAILED: .*replaced-\w{8}'\. Rename it by hand"
        ) as error,
        publish_folder(tmp_path / "out", None),
    ):
        pass
    owner, kept = sorted(tmp_path.iterdir(), key=lambda path: "replaced" in path.name)
    assert (kept / "a").read_text() == "old"
    assert str(kept) in str(error.value)
    # The next run can find the owner.
    assert owner.name == kept.name.replace("replaced", "run")


def test_a_folder_that_cannot_be_created_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(WrongUseError, match="OUTPUT_NOT_WRITABLE"),
        publish_folder(tmp_path / "file" / "out", THERE),
    ):
        pytest.fail("the block ran")


def write_owner(folder: Path, run: str, process: int, started: float | None, host: str) -> None:
    here = current()
    fields = {
        "host": host or here.host,
        "namespace": here.namespace,
        "process": process,
        "process_started": started,
    }
    (folder / f".out.run-{run}").write_text(json.dumps(fields))


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "a").write_text(name)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_incomplete_outputs_of_killed_runs_are_removed_and_reported(
    tmp_path: Path, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # The last one is the form of Scala's commands, which Spark must be able to read.
    leave(
        tmp_path, ".out.incomplete-0000000a", ".out.incomplete-0000000b", "out.incomplete-0000000c"
    )
    write_owner(tmp_path, "0000000a", dead, 1.5, "")
    write_owner(tmp_path, "0000000b", os.getpid(), 1.5, "")  # a later process with this id
    write_owner(tmp_path, "0000000c", 1, 1.5, "elsewhere")  # not updated for a day
    (tmp_path / "..out.run-0000000c.crc").touch()
    os.utime(tmp_path / ".out.run-0000000c", (time.time() - 86400,) * 2)
    write_owner(tmp_path, "0000000d", dead, 1.5, "")
    with publish_folder(tmp_path / "out", THERE) as folder:
        (folder / "a").write_text("new")
    assert names(tmp_path) == ["out"]
    reported = capsys.readouterr().err
    assert "out.incomplete-0000000a is removed: a run that was killed had left it" in reported


def test_outputs_of_running_processes_and_of_unknown_owners_are_kept(
    tmp_path: Path, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_owner(tmp_path, "0000000a", os.getpid(), current().started, "")
    write_owner(tmp_path, "0000000c", 1, 1.5, "elsewhere")
    write_owner(tmp_path, "more", dead, 1.5, "")
    (tmp_path / ".out.run-0000000d").write_text("no JSON")
    for run in ("0000000a", "0000000b", "0000000c", "0000000d", "more"):
        leave(tmp_path, f"out.incomplete-{run}", f".out.replaced-{run}")
    leave(tmp_path, "out2.incomplete-0000000e")
    before = names(tmp_path)
    with publish_folder(tmp_path / "out", THERE):
        pass
    assert names(tmp_path) == sorted([*before, "out"])
    reported = capsys.readouterr().err
    assert "out.incomplete-0000000a is left alone: another run writes" in reported
    assert "out.incomplete-0000000b is left alone: its owner is unknown" in reported


def test_an_output_that_a_killed_run_moved_is_restored_or_removed_if_it_was_replaced(
    tmp_path: Path, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path, ".out.incomplete-0000000a", ".out.replaced-0000000a")
    write_owner(tmp_path, "0000000a", dead, 1.5, "")
    with (
        pytest.raises(WrongUseError, match="OUTPUT_EXISTS"),
        publish_folder(tmp_path / "out", THERE),
    ):
        pytest.fail("the block ran")
    assert "out is put back" in capsys.readouterr().err
    assert (tmp_path / "out" / "a").read_text() == ".out.replaced-0000000a"
    assert names(tmp_path) == ["out"]
    leave(tmp_path, ".out.replaced-0000000b")
    write_owner(tmp_path, "0000000b", dead, 1.5, "")
    # The third run wrote no new output, and the existing output is another run's.
    leave(tmp_path, ".out.incomplete-0000000c", ".out.replaced-0000000c")
    write_owner(tmp_path, "0000000c", dead, 1.5, "")
    with publish_folder(tmp_path / "out", None):
        pass
    assert names(tmp_path) == [".out.replaced-0000000c", "out"]


def test_the_next_run_removes_the_files_of_a_killed_run(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from sightline.publish import publish_folder\n"
        "with publish_folder(Path(sys.argv[1]), None) as folder:\n"
        "    (folder / 'a').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=False)  # noqa: S603
    assert len(names(tmp_path)) == 3
    with publish_folder(tmp_path / "out", None):
        pass
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "read",
    ["out", "out/a.jpg", "link/a.jpg", "x.jpg", "out/../out/*.jpg", "other/../link", "file:{}/out"],
)
def test_a_folder_that_contains_an_input_is_not_replaced(read: str, tmp_path: Path) -> None:
    for name in ("out/a.jpg", "out2/b.jpg", "other/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "x.jpg").symlink_to("out/a.jpg")
    fine = [str(tmp_path / name) for name in ("out2/b.jpg", "other/c.jpg", "no", "link/../other")]
    path = read.format(tmp_path) if "{}" in read else f"{tmp_path}/{read}"
    with (
        pytest.raises(WrongUseError, match=r"OUTPUT_HOLDS_INPUT: .*/out holds "),
        publish_folder(tmp_path / "out", None, [*fine, path]),
    ):
        pytest.fail("the block ran")
    assert (tmp_path / "out" / "a.jpg").exists()
    with publish_folder(tmp_path / "out", None, fine):
        pass
