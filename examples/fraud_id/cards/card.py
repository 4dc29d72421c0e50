"""Draws the card: background, portrait, captions, values and signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from cards.fonts import load_font
from cards.guilloche import MARGIN, background, rosette_mask
from cards.identity import Identity
from cards.layout import (
    CAPTION,
    CAPTION_ABOVE,
    CARD_HEIGHT,
    CARD_WIDTH,
    FIELDS,
    INK,
    PORTRAIT,
    SIGNATURE,
    Box,
    Type,
)
from cards.portrait import draw_portrait

_TITLE = Type("SourceSerifPro-Semibold", 44)
_SUBTITLE = Type("Roboto-Light", 21, spacing=3)


@dataclass(frozen=True)
class Print:
    """Variations of one printed card: shift of the background in pixels, ink and paper tint."""

    shift_x: int
    shift_y: int
    tint: tuple[float, float, float]
    ink: float  # 0.8 to 1: darkness of the texts


def make_print(rng: np.random.Generator) -> Print:
    """Return random print variations. All genuine cards differ in this range."""
    shift_x, shift_y = (int(shift) for shift in rng.integers(-5, 6, 2))
    red, green, blue = (float(gain) for gain in rng.uniform(0.965, 1.02, 3))
    return Print(shift_x, shift_y, (red, green, blue), float(rng.uniform(0.86, 1.0)))


def render_card(
    identity: Identity, press: Print, types: Mapping[str, Type] | None = None
) -> Image.Image:
    """Draw a flat card without a background scene.

    Args:
        identity: The holder of the card.
        press: The variations of the print.
        types: Fonts by field name that replace the correct ones; None on a genuine card.

    Returns:
        RGB, (CARD_HEIGHT, CARD_WIDTH).
    """
    top, left = MARGIN + press.shift_y, MARGIN + press.shift_x
    card = background().crop((left, top, left + CARD_WIDTH, top + CARD_HEIGHT))
    card = card.point(
        [min(255, round(level * gain)) for gain in press.tint for level in range(256)]
    )
    card.paste(draw_portrait(identity.look, *PORTRAIT[2:]), PORTRAIT[:2])
    card.paste(Image.new("RGB", card.size, (92, 84, 160)), mask=_overprint())
    card.paste(Image.new("RGB", card.size, (30, 50, 92)), mask=_fixed_texts())
    written = Image.new("L", card.size, 0)
    pen = ImageDraw.Draw(written)
    for field in FIELDS:
        type_ = (types or {}).get(field.name, field.type)
        _write(
            pen, field.x, field.baseline, identity.fields[field.name], type_, int(255 * press.ink)
        )
    _sign(pen, identity.signature_seed, int(235 * press.ink))
    card.paste(Image.new("RGB", card.size, INK), mask=written)
    return card


def text_box(identity: Identity, name: str) -> Box:
    """Return left, top, right and bottom of a field's correct value, in pixels of the card."""
    field = next(field for field in FIELDS if field.name == name)
    text, font = identity.fields[name], load_font(field.type.font, field.type.size)
    length = font.getlength(text) + field.type.spacing * len(text)
    size = field.type.size
    return (
        field.x,
        int(field.baseline - 0.78 * size),
        int(field.x + length),
        int(field.baseline + 0.1 * size),
    )


def _write(
    pen: ImageDraw.ImageDraw, x: float, baseline: int, text: str, type_: Type, ink: int
) -> None:
    font = load_font(type_.font, type_.size)
    x += type_.dx
    if not type_.spacing:
        pen.text((x, baseline + type_.dy), text, fill=ink, font=font, anchor="ls")
        return
    for letter in text:
        pen.text((x, baseline + type_.dy), letter, fill=ink, font=font, anchor="ls")
        x += font.getlength(letter) + type_.spacing


def _sign(pen: ImageDraw.ImageDraw, seed: int, ink: int) -> None:
    rng = np.random.default_rng(seed)
    left, top, width, height = SIGNATURE
    strokes = int(rng.integers(7, 13))
    t = np.linspace(0, 1, 160)
    x = left + width * (0.08 + 0.8 * t) + 11 * np.sin(2 * np.pi * strokes * t + rng.uniform(0, 6))
    tall = height * (0.16 + 0.14 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6)))
    y = top + height * 0.48 + tall * np.sin(2 * np.pi * strokes * 1.13 * t + rng.uniform(0, 6))
    y += rng.uniform(-14, 14) * (t - 0.5)
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=ink, width=3, joint="curve")


@lru_cache(maxsize=1)
def _overprint() -> Image.Image:
    left, top, width, height = PORTRAIT
    mask = rosette_mask(left + width - 18, top + height - 40, 74)
    return Image.fromarray((mask * 150).astype(np.uint8))


@lru_cache(maxsize=1)
def _fixed_texts() -> Image.Image:
    layer = Image.new("L", (CARD_WIDTH, CARD_HEIGHT), 0)
    pen = ImageDraw.Draw(layer)
    _write(pen, 40, 62, "REPUBLIC OF SIGHTLAND", _TITLE, 255)
    _write(pen, 40, 94, "NATIONAL IDENTITY CARD", _SUBTITLE, 220)
    for field in FIELDS:
        _write(pen, field.x, field.baseline - CAPTION_ABOVE, field.caption, CAPTION, 220)
    turns = np.linspace(-np.pi / 2, 1.5 * np.pi, 17)
    radii = np.where(np.arange(17) % 2 == 0, 34, 15)
    star = [(884 + r * np.cos(a), 56 + r * np.sin(a)) for r, a in zip(radii, turns, strict=True)]
    pen.polygon(star, fill=200)
    pen.ellipse((842, 14, 926, 98), outline=220, width=4)
    left, top, width, height = SIGNATURE
    pen.line((left, top + height - 8, left + width, top + height - 8), fill=180, width=2)
    return layer
