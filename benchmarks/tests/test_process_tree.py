import json
import sys
import textwrap
from pathlib import Path

import pytest

from harness.coprocess import Coprocess, Program
from harness.errors import BenchError

BURN = """
    import json, os, signal, subprocess, sys, time

    def burn(seconds):
        start = time.process_time()
        while time.process_time() - start < seconds:
            pass

    burn(0.1)  # a start that costs more than a tick of the process's clock
    print('@ {"ready": true}', flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        if job.get("fail"):
            print("sightline: NO_LUCK: nothing can be done.", file=sys.stderr)
            print('@ {"status": 1}', flush=True)
            continue
        if "exit" in job:
            sys.exit("gone")
        burn(job.get("own", 0))
        code = "import time\\nwhile time.process_time() < %s: pass"
        if "child" in job:  # a child that ends and is waited for
            subprocess.run([sys.executable, "-c", code % job["child"]])
        if "ignored" in job:  # a child whose parent ignores its end, so that its time is lost
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", code % job["ignored"]])
            while os.path.exists(f"/proc/{child.pid}"):
                time.sleep(0.01)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if "orphan" in job:  # a grandchild whose parent ends before it does
            inner = [sys.executable, "-c", code % job["orphan"]]
            outer = f"import subprocess; print(subprocess.Popen({inner!r}).pid)"
            found = subprocess.run([sys.executable, "-c", outer], capture_output=True)
            while os.path.exists(f"/proc/{int(found.stdout)}"):
                time.sleep(0.01)
        print('noise that is no answer')
        print('@ {"done": 1}', flush=True)
"""


@pytest.fixture
def burner(tmp_path: Path) -> Program:
    script = tmp_path / "burn.py"
    script.write_text(textwrap.dedent(BURN))
    return Program("burn", (sys.executable, "-S", str(script)))


@pytest.mark.parametrize("where", ["own", "child", "orphan"])
def test_the_cost_of_a_job_includes_processes_that_ended(
    burner: Program, tmp_path: Path, where: str
) -> None:
    with Coprocess(burner, tmp_path / "log") as process:
        idle, _ = process.ask("{}", 1)
        used, answer = process.ask(json.dumps({where: 0.5}), 7)
    assert answer == {"done": 1}
    assert used.images == 7
    assert 0.48 <= used.cpu_s <= 1.0
    assert idle.cpu_s < 0.3
    assert used.cpu_by == {"python": pytest.approx(used.cpu_s)}
    assert used.peak_mib > 1


def test_the_cost_of_a_job_includes_children_whose_end_nobody_waits_for(
    burner: Program, tmp_path: Path
) -> None:
    with Coprocess(burner, tmp_path / "log") as process:
        used, _ = process.ask('{"ignored": 2.5}', 1)
        after, _ = process.ask("{}", 1)
    assert 1.5 <= used.cpu_s <= 3.0  # up to the last sample
    assert -0.01 <= after.cpu_s < 0.3


def test_the_cost_since_the_start_includes_start_and_job(burner: Program, tmp_path: Path) -> None:
    with Coprocess(burner, tmp_path / "log") as process:
        used, _ = process.ask('{"own": 0.2}', 1)
        cold = process.since_start(used)
    assert cold.cpu_s >= used.cpu_s + 0.09
    assert cold.wall_s > used.wall_s


def test_the_error_of_a_failed_job_has_the_programs_message(
    burner: Program, tmp_path: Path
) -> None:
    with (
        Coprocess(burner, tmp_path / "log") as process,
        pytest.raises(BenchError, match="burn: status 1: sightline: NO_LUCK: nothing can be"),
    ):
        process.ask('{"fail": 1}', 1)


def test_a_program_survives_a_failed_job_but_not_an_exit(burner: Program, tmp_path: Path) -> None:
    with Coprocess(burner, tmp_path / "log") as process:
        with pytest.raises(BenchError):
            process.ask('{"fail": 1}', 1)
        assert process.alive
        process.ask("{}", 1)
        with pytest.raises(BenchError):
            process.ask('{"exit": 1}', 1)
        process.close()
        assert not process.alive


def test_the_error_of_an_ended_program_has_its_last_line(burner: Program, tmp_path: Path) -> None:
    with (
        Coprocess(burner, tmp_path / "log") as process,
        pytest.raises(BenchError, match="BENCH_PROGRAM_FAILED: burn: the program ended: gone"),
    ):
        process.ask('{"exit": 1}', 1)
    with pytest.raises(BenchError, match=r"the program ended: .*No such file"):
        Coprocess(Program("none", (sys.executable, "nowhere.py")), tmp_path / "log")


def test_closing_kills_processes_that_a_program_left_behind(tmp_path: Path) -> None:
    script = tmp_path / "leave.py"
    script.write_text(
        "import json, subprocess, sys\n"
        "left = subprocess.Popen(['sleep', '1000'], stdin=subprocess.DEVNULL)\n"
        "print('@ ' + json.dumps({'left': left.pid}), flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = Coprocess(Program("leave", (sys.executable, str(script))), tmp_path / "log")
    (left,) = (p for p in process.tree.processes() if p.name() == "sleep")
    process.close()
    assert not left.is_running()
