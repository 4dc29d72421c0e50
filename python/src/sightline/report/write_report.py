"""From a run's folder to its page."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from sightline.errors import WrongUseError
from sightline.place import first_in
from sightline.report.image_roots import ImageRoots
from sightline.report.page import render_page
from sightline.report.read_image import located
from sightline.report.run_folder import Run, read_run
from sightline.report.sample import read_sample
from sightline.report.thumbnails import Thumbnails, make_thumbnails
from sightline.report.variance_chart import draw_variance

_CHART = "pca_variance.png"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Args:
        page: The page.
        chart: The explained variance as a picture; None if the run has none.
        points: Images on the page.
        available: Images of the run's sample.
        unreadable: Images of the page that could not be read for their thumbnails.
        denied: Those of them that lie outside the roots, or that this user may not read.
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
    """Write the page of a run, and for a PCA the picture beside it; each appears whole.

    Args:
        folder: Of the run.
        output: The page. None is ``report.html`` in the run's folder, in its ``_run`` if the
            folder is a table, whose readers take every other file for data; it is replaced.
        if_exists: What to do with an `output` that is there.
        points: Images on the page at most.
        thumbnails: Whether pictures are on the page.
        image_roots: Folders, local or URIs, below which images are opened for them, beside the
            run's own. None opens every image that the run names: only for a run of one's own.

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
        # A lone surrogate, which JSON can hold and UTF-8 cannot, becomes a question mark.
        draft.write_bytes(render_page(run, sample, small).encode("utf-8", "replace"))
    if chart and run.pca:
        with _replaced(chart) as draft:
            draft.write_bytes(draw_variance(run.pca))
    unreadable = sum(small.errors.values()) if small else 0
    shown, available = (len(sample), sample.available) if sample else (0, 0)
    denied = small.errors.get("DENIED", 0) if small else 0
    return Written(page, chart, shown, available, unreadable, denied)


def _check(run: Run, output: Path | None, files: list[Path], if_exists: str) -> None:
    if run.pca and importlib.util.find_spec("matplotlib") is None:
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"the picture of the explained variance needs the package matplotlib, which "
            f"{sys.executable} does not have. Install it with: pip install 'sightline[report]'.",
        )
    if output is None or if_exists == "replace":
        return
    for file in files:
        if file.exists():
            message = f"{file} exists. Choose another --output, or add --overwrite."
            raise WrongUseError("OUTPUT_EXISTS", message)


def _spare(file: Path, folder: Path, images: list[str]) -> None:
    """Refuse to replace an image of the run, or a file of the run that is no page or picture."""
    is_record = file.suffix.lower() not in (".html", ".png") and first_in([file], folder)
    if file.exists() and (is_record or first_in(images, file) is not None):
        message = f"{file} is what the page is made from. Choose another --output."
        raise WrongUseError("OUTPUT_HOLDS_INPUT", message)


def _thumbnails(paths: list[str], roots: ImageRoots) -> Thumbnails:
    with tqdm(total=len(paths), unit=" thumbnails", disable=None, mininterval=0.5) as progress:
        return make_thumbnails(paths, roots, progress.update)


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Give a name beside the target; its file takes the target's place if the block succeeds."""
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
