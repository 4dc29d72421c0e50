"""Write the page of a run, and the chart of a PCA beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from sightline.errors import WrongUseError
from sightline.place import first_in
from sightline.report.image_reader import ImageRoots, located
from sightline.report.page import render_page
from sightline.report.run_folder import Run, read_run
from sightline.report.sample import read_sample
from sightline.report.thumbnails import Thumbnails, make_thumbnails
from sightline.report.variance_chart import draw_variance
from sightline.require_package import require_package

_CHART = "pca_variance.png"


@dataclass(frozen=True, slots=True)
class Written:
    """The files written, and counts of the images on the page.

    Args:
        page: Path of the page.
        chart: Path of the chart of explained variance; None if the run is not a PCA.
        points: Number of images on the page.
        available: Number of images in the run's sample.
        unreadable: Number of images without a thumbnail because they could not be read.
        denied: Number of unreadable images that are outside the roots, or that this user may not
            read.
    """

    page: Path
    chart: Path | None
    points: int
    available: int
    unreadable: int
    denied: int


def write_report(
    folder: Path,
    output: Path | None,
    *,
    if_exists: Literal["refuse", "replace"],
    points: int,
    thumbnails: Literal["embed", "leave_out"],
    image_roots: Sequence[str] | None = (),
) -> Written:
    """Write the page of a run, and for a PCA the chart beside it. Each file appears complete.

    Args:
        folder: Output folder of the run.
        output: Path of the page. None for ``report.html`` in the folder of a PCA, and in its
            ``_run`` for other runs, whose folders are tables; an existing page there is replaced.
        if_exists: Whether an existing ``output`` is an error or is replaced.
        points: Number of images on the page, at most.
        thumbnails: Whether the page contains pictures.
        image_roots: Paths or URIs of folders whose images may be opened, besides the run's own.
            None opens every image that the run lists, which is safe only for one's own runs.

    Raises:
        WrongUseError: PATH_NOT_FOUND, NOT_A_RUN, DAMAGED_RUN, MISSING_PACKAGE, OUTPUT_EXISTS,
            OUTPUT_NOT_WRITABLE.
    """
    run = read_run(folder)
    page = output or (folder if run.pca else folder / "_run") / "report.html"
    chart = page.with_name(_CHART) if run.pca else None
    files = [page, *([chart] if chart else [])]
    _check(run, output, files, if_exists)
    sample = read_sample(folder, run.pca.k, points) if run.pca else None
    root = run.inference.get("images_root")
    paths = located(sample.paths, root if isinstance(root, str) else None) if sample else []
    for file in files:
        _spare(file, folder, paths)
    roots = ImageRoots(None if image_roots is None else [str(folder), *image_roots])
    small = _thumbnails(paths, roots) if sample and thumbnails == "embed" else None
    with _replaced(page) as draft:
        # JSON may contain lone surrogates, which UTF-8 cannot encode; they become "?".
        draft.write_bytes(render_page(run, sample, small).encode("utf-8", "replace"))
    if chart and run.pca:
        with _replaced(chart) as draft:
            draft.write_bytes(draw_variance(run.pca))
    unreadable = sum(small.errors.values()) if small else 0
    shown, available = (len(sample), sample.available) if sample else (0, 0)
    denied = small.errors.get("DENIED", 0) if small else 0
    return Written(page, chart, shown, available, unreadable, denied)


def _check(run: Run, output: Path | None, files: list[Path], if_exists: str) -> None:
    packages = ("jinja2", "matplotlib") if run.pca else ("jinja2",)
    require_package(*packages, install="sightline[report]", purpose="sightline report")
    if output is None or if_exists == "replace":
        return
    for file in files:
        if file.exists():
            message = f"{file} exists. Choose another --output, or add --overwrite."
            raise WrongUseError("OUTPUT_EXISTS", message)


def _spare(file: Path, folder: Path, images: list[str]) -> None:
    """Raise an error if the file is an image of the run, or belongs to the run's record."""
    is_record = file.suffix.lower() not in (".html", ".png") and first_in([file], folder)
    if file.exists() and (is_record or first_in(images, file) is not None):
        message = f"{file} belongs to the run that the page is about. Choose another --output."
        raise WrongUseError("OUTPUT_HOLDS_INPUT", message)


def _thumbnails(paths: list[str], roots: ImageRoots) -> Thumbnails:
    with tqdm(total=len(paths), unit=" thumbnails", disable=None, mininterval=0.5) as progress:
        return make_thumbnails(paths, roots, progress.update)


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside the target; rename it to the target if the block succeeds."""
    draft = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(target)
    except OSError as error:
        raise WrongUseError(
            "OUTPUT_NOT_WRITABLE", f"'{target}': {error.strerror or error}."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
