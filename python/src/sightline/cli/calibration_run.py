"""Run a calibration from command-line options: for `models calibrate` and `models add`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from sightline.calibrate.agreement_threshold import (
    DEFAULT_MAX_TOP1_LOSS,
    DEFAULT_MIN_AGREEMENT,
    DEFAULT_MIN_IMAGES,
)
from sightline.cli.options import AT_LEAST_1, SHARE, add_options, file_options
from sightline.errors import SightlineError, WrongUseError
from sightline.wrong_option import require_known

if TYPE_CHECKING:
    from sightline.bundle.bundle import Bundle
    from sightline.bundle.calibration import Precision
    from sightline.calibrate.calibrate import Measured
    from sightline.calibrate.calibrated_mode import CalibratedMode

calibration_options = add_options(
    file_options,
    click.option(
        "--range-images",
        metavar="IMAGES",
        help="Images that set the value ranges of the int8 model. Default: up to 64 of the given "
        "images, which are then not compared.",
    ),
    click.option(
        "--backend",
        "backends",
        metavar="NAMES",
        default="",
        help="Backends to measure, with commas between. Default: all installed ones that can run "
        "the model.",
    ),
    click.option(
        "--precision",
        "precisions",
        metavar="NAMES",
        default="bf16,int8",
        show_default=True,
        help="Precisions to measure, with commas between: bf16, int8.",
    ),
    click.option(
        "--min-agreement",
        type=SHARE,
        default=DEFAULT_MIN_AGREEMENT,
        show_default=True,
        help="Share of the images that must get the same class as in fp32.",
    ),
    click.option(
        "--max-top1-loss",
        type=SHARE,
        default=DEFAULT_MAX_TOP1_LOSS,
        show_default=True,
        help="Largest accepted loss of top-1 accuracy, where true labels are known.",
    ),
    click.option(
        "--min-images",
        type=AT_LEAST_1,
        default=DEFAULT_MIN_IMAGES,
        show_default=True,
        help="Number of images that must be compared.",
    ),
    click.option(
        "--keep-passing",
        is_flag=True,
        help="If some modes miss the threshold, record the others.",
    ),
)
"""Decorator that adds the options of a calibration to a click command."""


@dataclass(frozen=True)
class Destination:
    """Where the calibrated copy of a bundle is written.

    Args:
        folder: The new bundle's own folder.
        name: The model's name in its manifest.
        if_exists: Raised if the folder exists; None replaces the folder.
    """

    folder: Path
    name: str
    if_exists: WrongUseError | None


def run_calibration(
    bundle: Bundle,
    images: str,
    given: dict[str, Any],
    destination: Destination | None,
    *,
    allow_code: bool,
) -> Bundle | None:
    """Measure the requested modes, print the table, and publish the modes that passed.

    Args:
        bundle: Model to measure. It is not changed, unless it is the destination.
        images: As for `predict --images`.
        given: The values of `calibration_options`, by parameter name.
        destination: Where the calibrated bundle is written; None only measures and prints.
        allow_code: Whether the bundle may run code from any package.

    Returns:
        The published bundle; None without a destination.

    Raises:
        WrongUseError: NOT_ENOUGH_IMAGES, OUTPUT_NOT_OURS, or any other wrong use, before the
            measurement starts.
        SightlineError: BELOW_AGREEMENT_THRESHOLD if a mode misses the threshold; nothing is
            published.
    """
    from sightline.calibrate.agreement_threshold import AgreementThreshold
    from sightline.calibrate.calibrate import Images, calibrate, keep, publish
    from sightline.engine.quiet_decoders import quiet_decoders
    from sightline.publish import require_replaceable
    from sightline.source.list_images import ImageSource, list_images

    quiet_decoders()
    if destination is not None and destination.if_exists is None:
        require_replaceable(destination.folder, ())
    modes = _modes(bundle, given)
    ranges = given["range_images"]
    files = {"include": given["include"], "exclude": given["exclude"]}
    compared = Images(
        list_images(ImageSource(images, **files)),
        _described(images),
        None if ranges is None else list_images(ImageSource(ranges, labels="none", **files)),
    )
    threshold = AgreementThreshold(
        given["min_agreement"], given["max_top1_loss"], given["min_images"]
    )
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        draft, measured = calibrate(
            bundle, modes, compared, threshold, Path(folder), allow_code=allow_code
        )
        click.echo(_table(measured))
        failed = [one for one in measured if one.shortfall]
        passed = [one.entry for one in measured if not one.shortfall]
        if failed and (not given["keep_passing"] or not passed):
            raise SightlineError("BELOW_AGREEMENT_THRESHOLD", _refusal(failed, bool(passed)))
        if destination is None:
            click.echo("Nothing was written. Add --overwrite or --as NAME to record it.")
            return None
        kept = keep(draft, passed, destination.name)
        return publish(kept, destination.folder, destination.if_exists)


def _modes(bundle: Bundle, given: dict[str, Any]) -> list[CalibratedMode]:
    from sightline.backends.registry import known_backends
    from sightline.bundle.calibration import PRECISIONS
    from sightline.calibrate.calibrated_mode import modes_to_measure

    precisions = _read_names(given["precisions"], PRECISIONS, "--precision")
    return modes_to_measure(
        bundle,
        _read_names(given["backends"], known_backends(), "--backend"),
        cast("tuple[Precision, ...]", precisions),
    )


def _read_names(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for name in names:
        require_known(option, name, known)
    return names


def _described(images: str) -> str:
    """The last two names of the path, so that the manifest has no path of this machine."""
    return "/".join(Path(images).absolute().parts[-2:])


def _table(measured: list[Measured]) -> str:
    head = ("backend", "precision", "images", "agreement", "top-1", "fp32")
    rows: list[tuple[str, ...]] = [(*head, "infer CPU-ms", "decode CPU-ms", "")]
    for one in measured:
        entry = one.entry
        rows.append(
            (
                entry.backend,
                entry.precision,
                f"{entry.rows}",
                f"{entry.agreement:.4f}",
                *("-" if top1 is None else f"{top1:.4f}" for top1 in (entry.top1, entry.top1_fp32)),
                f"{one.infer_cpu_ms:.2f}",
                f"{one.decode_cpu_ms:.2f}",
                f"refused: {one.shortfall}" if one.shortfall else "",
            )
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _refusal(failed: list[Measured], others: bool) -> str:  # noqa: FBT001 - private
    which = "; ".join(f"'{one.entry.mode}' ({one.shortfall})" for one in failed)
    remedy = " Use --keep-passing to record the others." if others else ""
    return f"{which}. Nothing was written.{remedy}"
