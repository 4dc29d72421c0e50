"""Positions of the card's elements, and their fonts."""

from __future__ import annotations

from dataclasses import dataclass

CARD_WIDTH, CARD_HEIGHT = 960, 606  # pixels: the 85.60 x 53.98 mm of an ISO ID-1 card
INK = (28, 30, 48)


Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class Type:
    """Font of a text: stem of the font file, em size in pixels, offset in pixels."""

    font: str
    size: int
    dx: int = 0
    dy: int = 0
    spacing: int = 0  # pixels added after each letter


@dataclass(frozen=True)
class Field:
    """One printed value: its caption, the left end of its baseline in pixels, and its font."""

    name: str
    caption: str
    x: int
    baseline: int
    type: Type


_VALUE = Type("Roboto-Medium", 43)
FIELDS = (
    Field("surname", "Surname", 344, 182, _VALUE),
    Field("given_names", "Given names", 344, 264, _VALUE),
    Field("birth", "Date of birth", 344, 346, _VALUE),
    Field("sex", "Sex", 668, 346, _VALUE),
    Field("issued", "Issued", 344, 428, _VALUE),
    Field("expires", "Expires", 668, 428, _VALUE),
    Field("number", "Card number", 344, 536, Type("Caladea-Bold", 58, spacing=4)),
)
CAPTION = Type("Roboto-Light", 19)
CAPTION_ABOVE = 44  # pixels from the baseline of a value up to that of its caption

PORTRAIT = (40, 116, 270, 346)  # left, top, width, height
SIGNATURE = (40, 482, 270, 90)
