"""The peers' own packages, which the benchmark installs beside Sightline's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def peers(repository: Path, work: Path) -> tuple[Path, str | None]:
    """Python of the environment of Ray and Daft, made once.

    Returns:
        The interpreter, and why it cannot be had, or None.
    """
    place, wanted = work / "peers", repository / "benchmarks/peers.txt"
    python = place / "bin/python"
    return python, _install(
        wanted,
        place / "installed.txt",
        [["venv", "--quiet", "--python", sys.executable, "--clear", str(place)]],
        ["pip", "install", "--quiet", "--python", str(python), "-r", str(wanted)],
    )


def pandas(repository: Path, work: Path) -> tuple[Path, str | None]:
    """Folder of what PySpark's pandas functions need and Sightline does not, made once.

    Returns:
        The folder, and why it cannot be had, or None.
    """
    place, wanted = work / "pandas", repository / "benchmarks/spark_peers.txt"
    target = ("--target", str(place), "--no-deps")
    return place, _install(
        wanted,
        place / "installed.txt",
        [],
        ["pip", "install", "--quiet", "--python", sys.executable, *target, "-r", str(wanted)],
    )


def _install(
    wanted: Path, installed: Path, before: list[list[str]], install: list[str]
) -> str | None:
    """Run uv, unless what is wanted is what is installed; its last words if it fails."""
    requirements = wanted.read_text("utf-8")
    if installed.is_file() and installed.read_text("utf-8") == requirements:
        return None
    uv = str(Path(sys.executable).with_name("uv"))
    for arguments in (*before, install):
        try:
            run = subprocess.run(  # noqa: S603 - uv of Sightline's own environment
                [uv, *arguments], capture_output=True, text=True, check=False
            )
        except OSError as error:
            return f"uv cannot be run: {error}"
        if run.returncode != 0:
            last = (run.stderr.strip().splitlines() or ["uv said nothing"])[-1]
            return f"{wanted.name} could not be installed: {last}"
    installed.write_text(requirements, "utf-8")
    return None
