"""The measurement of a mode (backend and precision) that changes a model's numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from sightline.bundle.fields import Fields

Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
# Older bundles were calibrated for a decoder. These are its names then.
_OLD_DECODERS = ("pillow", "turbo", "scaled")


@dataclass(frozen=True)
class Calibration:
    """Agreement of one backend and precision with fp32.

    Attributes:
        backend: Name of the backend, such as onnx.
        precision: fp32, bf16 or int8.
        rows: Number of compared images. None of them set the ranges of an int8 graph.
        agreement: Share of the images with the same best class as fp32, in 0..1.
        top1: Share of the images whose best class is the true class, in 0..1; None without labels.
        top1_fp32: The same share for fp32; None without labels.
        images: Name of the file or folder of the compared images.
    """

    backend: str
    precision: str
    rows: int
    agreement: float
    top1: float | None
    top1_fp32: float | None
    images: str

    @property
    def mode(self) -> str:
        """Backend and precision, separated by a space."""
        return f"{self.backend} {self.precision}"


def read_calibrations(items: Iterable[Fields]) -> tuple[Calibration, ...]:
    """Read the entries of `calibration` in model.json.

    An older bundle has an entry for each decoder. Those of pillow and turbo, which had the same
    results, count once. Those of scaled are left out: that decoder does not exist any more.

    Raises:
        WrongUseError: INVALID_BUNDLE, naming the field.
    """
    found: list[Calibration] = []
    old: set[str] = set()
    for item in items:
        one = _read(item)
        if item.has("decoder"):
            if item.text("decoder", _OLD_DECODERS) == "scaled" or one.mode in old:
                continue
            old.add(one.mode)
        found.append(one)
    return tuple(found)


def _read(item: Fields) -> Calibration:
    return Calibration(
        backend=item.text("backend"),
        precision=item.text("precision", PRECISIONS),
        rows=item.integer("rows", 1, 10**12),
        agreement=_share(item, "agreement"),
        top1=_share(item, "top1") if item.has("top1") else None,
        top1_fp32=_share(item, "top1_fp32") if item.has("top1_fp32") else None,
        images=item.text("images"),
    )


def _share(item: Fields, key: str) -> float:
    value = item.number(key)
    if not 0 <= value <= 1:
        item.fail(key, f"must be within 0..1, found {value:g}")
    return value
