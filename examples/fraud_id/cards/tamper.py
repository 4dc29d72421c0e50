"""The two forgeries: a region pasted from another card, and a field in a wrong font or size."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from cards.card import make_print, render_card, text_box
from cards.identity import Identity
from cards.layout import CARD_HEIGHT, CARD_WIDTH, FIELDS, PORTRAIT, Box, Field, Type

_SWAPPED_FIELDS = ("surname", "given_names", "birth", "expires", "number")
_WRONG_FONTS = (
    "Caladea-Regular",
    "Caladea-Bold",
    "Caladea-BoldItalic",
    "SourceSerifPro-Regular",
    "SourceSerifPro-Bold",
    "SourceSerifPro-It",
    "Roboto-Thin",
    "Roboto-Light",
    "Roboto-Black",
    "Roboto-MediumItalic",
)


@dataclass(frozen=True)
class Forgery:
    """A flat card, RGB (CARD_HEIGHT, CARD_WIDTH), and the forged boxes on it."""

    card: Image.Image
    boxes: tuple[Box, ...]


def crop_and_replace(victim: Identity, donor: Identity, rng: np.random.Generator) -> Forgery:
    """Paste the portrait or one field of a photograph of the donor's card on the victim's card.

    The patch has its own background phase, light, noise and JPEG blocks. It is shifted by 3 to 8
    pixels in both directions.
    """
    card = render_card(victim, make_print(rng))
    other = render_card(donor, make_print(rng))
    if rng.random() < 0.4:
        left, top, width, height = PORTRAIT
        box = (left, top, left + width, top + height)
    else:
        name = _SWAPPED_FIELDS[rng.integers(len(_SWAPPED_FIELDS))]
        mine, theirs = text_box(victim, name), text_box(donor, name)
        right = max(mine[2], theirs[2])  # the patch must cover the text that it replaces
        box = (mine[0], mine[1], right, mine[3])
    grow = rng.integers(5, 13, 4)
    box = (
        max(0, box[0] - int(grow[0])),
        max(0, box[1] - int(grow[1])),
        min(CARD_WIDTH, box[2] + int(grow[2])),
        min(CARD_HEIGHT, box[3] + int(grow[3])),
    )
    shift_x, shift_y = (
        int(rng.integers(3, 9)) * (1 if rng.random() < 0.5 else -1) for _ in range(2)
    )
    patch = _rephotograph(other.crop(box), rng)
    left, top = box[0] + shift_x, box[1] + shift_y
    card.paste(patch, (left, top))
    return Forgery(card, ((left, top, left + patch.width, top + patch.height),))


def font_issue(victim: Identity, rng: np.random.Generator) -> Forgery:
    """Draw the victim's card with one or two fields in a wrong font, size or baseline."""
    candidates = [field for field in FIELDS if field.name != "sex"]
    chosen = rng.choice(len(candidates), size=int(rng.integers(1, 3)), replace=False)
    types = {candidates[i].name: _wrong_type(candidates[i], rng) for i in chosen}
    boxes = tuple(text_box(victim, name) for name in types)
    return Forgery(render_card(victim, make_print(rng), types), boxes)


def _wrong_type(field: Field, rng: np.random.Generator) -> Type:
    wrong = field.type
    flaw = rng.choice(["font", "size", "both"], p=[0.5, 0.2, 0.3])
    if flaw in ("font", "both"):
        choices = [font for font in _WRONG_FONTS if font != field.type.font]
        wrong = replace(wrong, font=choices[rng.integers(len(choices))])
    if flaw in ("size", "both"):
        scale = rng.uniform(0.70, 0.80) if rng.random() < 0.5 else rng.uniform(1.16, 1.24)
        wrong = replace(wrong, size=round(wrong.size * scale))
    drop = int(rng.integers(3, 9)) * (1 if rng.random() < 0.5 else -1)
    return replace(wrong, dx=int(rng.integers(-5, 6)), dy=drop)


def _rephotograph(patch: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a piece of card as in a poor photograph: light, noise, blur, strong compression."""
    pixels = np.asarray(patch, dtype=np.float32)
    lights = rng.uniform(0.06, 0.15) * (1 if rng.random() < 0.5 else -1)
    gain = 1 + lights + rng.uniform(-0.04, 0.04, 3)
    pixels = pixels * gain.astype(np.float32)
    pixels += rng.normal(0, rng.uniform(3, 9), (*pixels.shape[:2], 1)).astype(np.float32)
    soft = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    soft = soft.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.6))))
    buffer = io.BytesIO()
    soft.save(buffer, "JPEG", quality=int(rng.integers(25, 60)))
    return Image.open(buffer).convert("RGB")
