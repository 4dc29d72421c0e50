"""`sightline gpu-discovery` writes a script that prints what Spark reads."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sightline.cli.main import main


@pytest.mark.parametrize(
    ("printed", "addresses"), [("0", ["0"]), ("0\n1\n2", ["0", "1", "2"]), ("", [])]
)
def test_the_script_prints_the_indexes_of_nvidia_smi(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], printed: str, addresses: list[str]
) -> None:
    script = tmp_path / "gpu_discovery.sh"
    assert main(["gpu-discovery", "--script", str(script)]) == 0
    assert capsys.readouterr().out == (
        "--conf spark.executor.resource.gpu.amount=1 "
        f"--conf spark.executor.resource.gpu.discoveryScript={script}\n"
    )
    # The program of a machine with GPUs; this one may have none.
    program = tmp_path / "nvidia-smi"
    program.write_text(
        f"#!/bin/sh\n[ \"$*\" = '--query-gpu=index --format=csv,noheader' ] && echo '{printed}'\n"
    )
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([script], env=environment, capture_output=True, check=True)  # noqa: S603
    assert json.loads(done.stdout) == {"name": "gpu", "addresses": addresses}


def test_the_script_fails_where_there_is_no_driver(tmp_path: Path) -> None:
    script = tmp_path / "gpu_discovery.sh"
    assert main(["gpu-discovery", "--script", str(script)]) == 0
    done = subprocess.run(  # noqa: S603
        ["/bin/sh", script], env={"PATH": str(tmp_path)}, capture_output=True, check=False
    )
    assert (done.returncode != 0, done.stdout) == (True, b"")


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gpu-discovery", "--script", str(tmp_path / "nowhere" / "x.sh")]) == 2
    assert "OUTPUT_NOT_WRITABLE: " in capsys.readouterr().err
