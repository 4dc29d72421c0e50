"""`sightline pack`."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.next_command import find_jar
from sightline.cli.options import OVERWRITE_HELP, PATH
from sightline.errors import WrongUseError
from sightline.require_package import require_package
from sightline.wrong_option import invalid_option

if TYPE_CHECKING:
    from importlib import metadata

DEFAULT_BACKEND = "onnx"
TARGETS = ("standalone", "yarn", "kubernetes", "dataproc", "emr", "databricks")


@click.command(
    name="pack",
    epilog="""\b
Examples:
  sightline pack --output environment.tar.gz
  sightline pack --output environment.tar.gz --backend pytorch --target yarn --gpus-per-task 1""",
)
@click.option(
    "--output", required=True, type=PATH, help="File to write; its name must end in .tar.gz."
)
@click.option(
    "--target",
    default="standalone",
    show_default=True,
    type=click.Choice(TARGETS),
    help="The cluster that the printed lines are for.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    default=(DEFAULT_BACKEND,),
    show_default=True,
    help="Pack the packages of this backend. Repeat it for several.",
)
@click.option(
    "--package",
    "packages",
    multiple=True,
    help="Pack this installed package too, with what it requires, such as my_backend or "
    "'sightline[train]'. Repeat it for several.",
)
@click.option(
    "--gpus-per-task",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="The part of a GPU of each task, for the printed lines.",
)
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
def pack(output: Path, target: str, gpus_per_task: float, **given: Any) -> None:  # noqa: ANN401
    """Pack this Python environment for the executors of a Spark cluster, and print how to use it.

    The archive has the Python interpreter itself, the packages that a task needs, and the shared
    libraries of this machine that these load. The nodes need no Python and no packages; they need
    the same processor architecture and a C library that is not older. The command unpacks the
    archive once, to check that it works in another folder.

    Sightline's own Python and the models are not in it: they travel in the jar and with each run.
    """
    require_package("packaging", install="sightline[pack]", purpose="pack")
    _check_output(output, overwrite=given["overwrite"])
    # Imported here because `--help` needs no packages.
    from sightline.environment.interpreter_files import interpreter
    from sightline.environment.submit_lines import Submission, submit_lines

    program = interpreter()
    chosen = needed_distributions(given["backends"], given["packages"])
    libraries, size, digest = _write(chosen, output)
    shown = ", ".join(f"{name} {one.version}" for name, one in chosen.items())
    click.echo(f"python     {platform.python_version()}, {program}")
    click.echo(f"packages   {shown}")
    click.echo(f"libraries  {', '.join(one.name for one in libraries) or 'none'}")
    click.echo(f"nodes      Linux, {platform.machine()}, {' '.join(platform.libc_ver())} or newer")
    click.echo(f"output     {output} ({size / 1e6:.1f} MB)")
    click.echo(f"sha256     {digest}")
    run = Submission(output.resolve(), find_jar(), sys.executable, gpus_per_task)
    click.echo(f"run        on {target}:\n\n{submit_lines(target, run)}")


def _check_output(output: Path, *, overwrite: bool) -> None:
    if not output.name.endswith(".tar.gz"):
        raise invalid_option("--output", output, "Its name must end in .tar.gz.")
    # Spark reads a list of URIs with fragments.
    wrong = [one for one in ",#%?" if one in str(output.resolve())]
    if wrong:
        rule = f"Spark cannot use an archive with {wrong[0]} in its path."
        raise invalid_option("--output", output, rule)
    if output.exists() and (output.is_dir() or not overwrite):
        message = f"{output} exists. Choose another --output, or add --overwrite."
        raise WrongUseError("OUTPUT_EXISTS", message)


def needed_distributions(
    backends: tuple[str, ...], packages: tuple[str, ...]
) -> dict[str, metadata.Distribution]:
    """Return the installed distributions that tasks need, by name.

    Args:
        backends: Names of backends.
        packages: Requirements of the user, such as ``sightline[train]``.

    Raises:
        WrongUseError: UNKNOWN_BACKEND, MISSING_PACKAGE or INVALID_OPTION.
    """
    from sightline.backends.registry import backend_entry
    from sightline.doctor.versions import PACKAGES
    from sightline.environment.distributions import (
        SIGHTLINE,
        find_distributions,
        is_installed,
    )
    from sightline.extensions import extension_package

    # The executors' Spark has its own pyspark, which comes first; an image of Spark for Java and
    # Scala has none.
    wanted = [SIGHTLINE, *(["pyspark"] if is_installed("pyspark") else []), *packages]
    for name in backends:
        entry = backend_entry(name)
        require_package(entry.package, install=entry.install, purpose=f"backend {name}")
        # Of onnxruntime and onnxruntime-gpu one is installed.
        runtimes = [one for one in PACKAGES.get(entry.package, ()) if is_installed(one)]
        wanted += runtimes if name == DEFAULT_BACKEND else [entry.install]
        wanted += [extension_package("sightline.backends", name) or SIGHTLINE]
    found = find_distributions(wanted)
    found.pop(SIGHTLINE)
    return found


def _write(chosen: dict[str, metadata.Distribution], output: Path) -> tuple[list[Path], int, str]:
    from tqdm import tqdm

    from sightline.environment.environment_archive import archive_files, write_archive
    from sightline.environment.shared_libraries import check_moved, load_here, needed_libraries

    packages = list(chosen.values())
    files = archive_files(packages, [])
    here = load_here(packages)
    libraries = needed_libraries(here)
    files = archive_files(packages, libraries)
    total = sum(one.size for one in files.values())
    with tqdm(total=total, unit="B", unit_scale=True, disable=None, desc="pack") as progress:

        def check(archive: Path) -> None:
            progress.set_description("check")
            check_moved(archive, packages, here)

        digest = write_archive(files, output, check, progress.update)
    return libraries, output.stat().st_size, digest
