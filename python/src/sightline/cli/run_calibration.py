"""Measure, print, refuse or publish: what `models add --calibrate` and `models calibrate` do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from sightline.cli.calibration_options import read_names
from sightline.errors import SightlineError, WrongUseError

if TYPE_CHECKING:
    from sightline.bundle.bundle import Bundle
    from sightline.bundle.calibration import Precision
    from sightline.calibrate.calibrate import Measured
    from sightline.calibrate.calibrated_mode import CalibratedMode
    from sightline.engine.spec import Decoder


@dataclass(frozen=True)
class Destination:
    """Where the calibrated copy appears.

    Args:
        folder: The bundle's own folder.
        name: The model's name in it.
        if_there: Raised if the folder is there; None replaces it.
    """

    folder: Path
    name: str
    if_there: WrongUseError | None


def run_calibration(
    bundle: Bundle,
    images: str,
    given: dict[str, Any],
    destination: Destination | None,
    *,
    allow_code: bool,
) -> Bundle | None:
    """Measure the modes that the options ask for, print the table, and publish what passed.

    Args:
        bundle: Not changed, unless it is the destination.
        images: As for `predict --images`.
        given: The values of `calibration_options`.
        destination: None measures and prints, and publishes nothing.
        allow_code: Whether the bundle may name code of any package.

    Returns:
        What was published.

    Raises:
        WrongUseError: NOT_ENOUGH_IMAGES, OUTPUT_NOT_OURS, and whatever else can be known
            beforehand.
        SightlineError: BELOW_AGREEMENT_THRESHOLD, and then nothing was published.
    """
    from sightline.calibrate.calibrate import Images, calibrate, keep, publish
    from sightline.calibrate.calibrated_mode import AgreementThreshold
    from sightline.engine.quiet_decoders import quiet_decoders
    from sightline.publish import require_replaceable
    from sightline.source.list_images import ImageSource, list_images

    quiet_decoders()
    if destination is not None and destination.if_there is None:
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
            click.echo("Nothing was written: add --overwrite, or --as NAME.")
            return None
        kept = keep(draft, passed, destination.name)
        return publish(kept, destination.folder, destination.if_there)


def _modes(bundle: Bundle, given: dict[str, Any]) -> list[CalibratedMode]:
    from sightline.backends.entry import known_backends
    from sightline.bundle.calibration import PRECISIONS
    from sightline.calibrate.calibrated_mode import modes_to_measure
    from sightline.engine.spec import DECODERS

    precisions = read_names(given["precisions"], PRECISIONS, "--precision")
    decoders = read_names(given["decoders"], DECODERS, "--decoder")
    return modes_to_measure(
        bundle,
        read_names(given["backends"], known_backends(), "--backend"),
        cast("tuple[Precision, ...]", precisions),
        cast("tuple[Decoder, ...]", decoders),
    )


def _described(images: str) -> str:
    """The last two names of the path: enough to know it again, and nothing of the machine."""
    return "/".join(Path(images).absolute().parts[-2:])


def _table(measured: list[Measured]) -> str:
    head = ("backend", "precision", "decoder", "images", "agreement", "top-1", "fp32")
    rows: list[tuple[str, ...]] = [(*head, "infer CPU-ms", "decode CPU-ms", "")]
    for one in measured:
        entry = one.entry
        rows.append(
            (
                entry.backend,
                entry.precision,
                entry.decoder,
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
    remedy = " Use --keep-passing to write down the others." if others else ""
    return f"{which}. Nothing was written.{remedy}"
