"""Decoding in a separate process, to measure its memory."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """
import json, resource, sys
from pathlib import Path
from PIL import Image
from sightline.engine.decode import decode
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

path, spec, extras = sys.argv[1], EngineSettings(**json.loads(sys.argv[2])), json.loads(sys.argv[3])
# Decode one image first, so that one-time allocations are not counted.
decode(Path(path).with_suffix(".small").read_bytes(), EngineSettings())
content = Path(path).read_bytes()

def outcome():
    try:
        found = decode(content, spec)
    except MemoryError as error:
        return ["MemoryError", str(error)]
    return [found.code, found.message] if isinstance(found, RowError) else [list(found.size), ""]

before = status("VmHWM")
result = None if extras else outcome() + [(status("VmHWM") - before) / 1024]
if extras:
    result = []
    for extra in extras:
        most = status("VmSize") * 1024 + extra * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, -1))
        result.append(outcome()[0])
print(json.dumps(result))
"""


@pytest.fixture
def decode_apart(tmp_path: Path, encode: Callable[..., bytes]) -> Callable[..., Any]:
    """Return (code or size, message, MiB that decoding added to the peak) for one file.

    With ``spare_mib`` a list of codes or sizes instead: of decoding the file with so many MiB left
    for the process to allocate.
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak memory of a process is read from /proc")

    def run(content: bytes, spare_mib: Sequence[int] = (), **spec: object) -> object:
        path = tmp_path / "image"
        path.write_bytes(content)
        path.with_suffix(".small").write_bytes(encode("red", "JPEG"))
        command = [
            sys.executable,
            "-c",
            _PROGRAM,
            str(path),
            json.dumps(spec),
            json.dumps(spare_mib),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return json.loads(done.stdout)

    return run
