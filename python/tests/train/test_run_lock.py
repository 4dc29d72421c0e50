import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sightline.cli.main import main
from sightline.errors import WrongUseError
from sightline.train.run_lock import CLAIM_FILE, OWNER_FILE, hold_run

from .test_train_command import TINY

# Holds a run until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from sightline.train.run_lock import hold_run
with hold_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def start_holder() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """``start_holder(run)``: another process that writes the run."""
    started: list[subprocess.Popen[str]] = []

    def start(run: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", HOLDER, str(run)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def owner_of(process: int, host: str | None = None) -> str:
    """The owner file of a process of this machine, or of another one."""
    namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    fields = {"host": host or socket.gethostname(), "namespace": namespace, "process": process}
    return json.dumps(fields | {"process_started": 1e9, "began": "2026-11-30T12:00:00+00:00"})


def test_a_run_that_another_process_writes_is_neither_resumed_nor_replaced(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    start_holder: Callable[[Path], subprocess.Popen[str]],
) -> None:
    run = tmp_path / "run"
    train = ["train", "--images", str(photos), "--output", str(run), "--epochs", "1", *TINY]
    assert main(train) == 0
    assert not (run / OWNER_FILE).exists()
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}

    holder = start_holder(run)
    for start in ("--resume", "--overwrite"):
        capsys.readouterr()
        assert main([*train, start]) == 2
        message = capsys.readouterr().err
        assert re.fullmatch(
            rf"sightline: RUN_IN_USE: process {holder.pid} on {re.escape(socket.gethostname())} "
            rf"writes the run {re.escape(str(run))} since 20\d\d-[^ ]+\+00:00\. [^\n]+ remove "
            rf"{re.escape(str(run / OWNER_FILE))}\.\n",
            message,
        ), message
    unchanged = {file: file.stat().st_mtime_ns for file in before if file != run}
    assert unchanged == {file: at for file, at in before.items() if file != run}

    holder.kill()
    holder.wait()
    assert main(["train", "--output", str(run), "--resume", "--epochs", "2"]) == 0
    assert len(json.loads((run / "history.json").read_text("utf-8"))) == 2
    assert not (run / OWNER_FILE).exists()


def test_an_owner_on_another_machine_is_replaced_after_five_minutes_without_a_beat(
    tmp_path: Path,
) -> None:
    file = tmp_path / OWNER_FILE
    file.write_text(owner_of(1, "elsewhere"), "utf-8")
    message = r"^RUN_IN_USE: process 1 on elsewhere writes the run .* since 2026-11-30T12:00:00"
    with pytest.raises(WrongUseError, match=message), hold_run(tmp_path):
        pass
    assert json.loads(file.read_text("utf-8"))["host"] == "elsewhere"
    os.utime(file, (time.time() - 301, time.time() - 301))
    with hold_run(tmp_path):
        assert json.loads(file.read_text("utf-8"))["process"] == os.getpid()


def test_an_owner_on_a_machine_of_the_same_name_may_still_write(tmp_path: Path) -> None:
    gone = json.loads(owner_of(os.getpid()))  # its id has another process here
    for boot, known in (("11111111-2222-3333-4444-555555555555", False), (None, True)):
        (tmp_path / OWNER_FILE).write_text(json.dumps(gone | {"boot": boot}), "utf-8")
        if known:
            with hold_run(tmp_path) as owner:
                assert (tmp_path / OWNER_FILE).read_text("utf-8") == owner
        else:
            with pytest.raises(WrongUseError, match=r"^RUN_IN_USE: process "), hold_run(tmp_path):
                pass


def test_a_file_without_an_owner_counts_by_its_age(tmp_path: Path) -> None:
    file = tmp_path / OWNER_FILE
    file.write_text("", "utf-8")
    with (
        pytest.raises(WrongUseError, match=r"^RUN_IN_USE: another process writes"),
        hold_run(tmp_path),
    ):
        pass
    os.utime(file, (time.time() - 301, time.time() - 301))
    with hold_run(tmp_path):
        assert json.loads(file.read_text("utf-8"))["process"] == os.getpid()


def test_one_of_many_gets_a_run_whose_owner_was_killed(tmp_path: Path) -> None:
    for number in range(20):
        run = tmp_path / str(number)
        run.mkdir()
        (run / OWNER_FILE).write_text(owner_of(os.getpid()), "utf-8")  # its id has another process
        together, tried = threading.Barrier(6), threading.Barrier(6)

        def attempt(
            _: int,
            run: Path = run,
            together: threading.Barrier = together,
            tried: threading.Barrier = tried,
        ) -> bool:
            together.wait(60)
            try:
                with hold_run(run):
                    tried.wait(60)
                    return True
            except WrongUseError:
                tried.wait(60)
                return False

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(attempt, range(6))) == 1
        assert not run.exists()


def test_a_claim_that_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    for name in (OWNER_FILE, CLAIM_FILE):
        (tmp_path / name).write_text(owner_of(os.getpid()), "utf-8")
    with hold_run(tmp_path):
        assert not (tmp_path / CLAIM_FILE).exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", "utf-8")
    with (
        pytest.raises(WrongUseError, match=r"^OUTPUT_NOT_WRITABLE: .*/file/run': Not a directory"),
        hold_run(tmp_path / "file" / "run"),
    ):
        pass
