"""The settings of a run: sizes, limits and decoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal, get_args

from sightline.errors import WrongUseError

Decoder = Literal["fast", "exact"]
DECODERS: tuple[Decoder, ...] = get_args(Decoder)
Casts = Literal["exact", "lossy"]
CASTS: tuple[Casts, ...] = get_args(Casts)

DEFAULT_DECODER: Decoder = "fast"
DEFAULT_BATCH_ROWS = 32
DEFAULT_MAX_IMAGE_BYTES = 64 * 1024 * 1024
DEFAULT_MAX_IMAGE_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of one run of the engine.

    Args:
        batch_rows: Rows in one model batch, at most; at least 1. A model with `most_rows` in its
            manifest may have smaller batches.
        max_image_bytes: Limit in bytes; larger encoded images are TOO_LARGE.
        max_image_pixels: Limit in pixels of the header's size; larger images are TOO_LARGE and are
            not decoded.
        decoder: ``fast`` decodes a large JPEG at a fraction of its size, and resizes only the part
            of a large image that the model sees. ``exact`` decodes and resizes the whole image,
            like torchvision. Small images have the same pixels with both.
        threads: Worker threads that each decode and infer whole batches, at least 1.
        casts: Conversion of numbers to the dtype of an input tensor. With ``exact``, a number that
            the dtype cannot represent is an error of its row. With ``lossy`` it is changed.

    Raises:
        WrongUseError: INVALID_OPTION if a number is no integer or below 1 or `casts` is unknown, or
            UNKNOWN_DECODER.
    """

    batch_rows: int = DEFAULT_BATCH_ROWS
    max_image_bytes: int = DEFAULT_MAX_IMAGE_BYTES
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    decoder: Decoder = DEFAULT_DECODER
    threads: int = 1
    casts: Casts = "exact"

    def __post_init__(self) -> None:
        for name in ("batch_rows", "max_image_bytes", "max_image_pixels", "threads"):
            value = getattr(self, name)
            if not isinstance(value, Integral):
                auto = ", or auto" if name == "batch_rows" else ""
                raise WrongUseError(
                    "INVALID_OPTION", f"{name} is {value!r}; it must be an integer{auto}."
                )
            if value < 1:
                raise WrongUseError("INVALID_OPTION", f"{name} is {value}; it must be at least 1.")
        if self.casts not in CASTS:
            known = " or ".join(CASTS)
            raise WrongUseError("INVALID_OPTION", f"casts is '{self.casts}'; it must be {known}.")
        if self.decoder not in DECODERS:
            raise WrongUseError(
                "UNKNOWN_DECODER", f"'{self.decoder}'. Known: {', '.join(DECODERS)}."
            )

    def with_most_rows(self, most_rows: int | None) -> EngineSettings:
        """Return these settings with at most `most_rows` rows in a batch; None for no limit."""
        return replace(self, batch_rows=min(self.batch_rows, most_rows or self.batch_rows))
