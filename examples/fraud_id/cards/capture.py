"""The camera: every card, genuine or forged, is photographed and encoded by this one pipeline."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cards.layout import CARD_HEIGHT, CARD_WIDTH

PHOTO_WIDTH, PHOTO_HEIGHT = 480, 312
_WIDE, _TALL = 2 * PHOTO_WIDTH, 2 * PHOTO_HEIGHT  # photographed at twice the size, then reduced
_JPEG_QUALITY = 90
_SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def photograph(card: Image.Image, rng: np.random.Generator) -> bytes:
    """A picture of a card on a desk.

    Args:
        card: RGB, (CARD_HEIGHT, CARD_WIDTH).
        rng: Decides perspective, light, focus, noise and desk; the encoding is always the same.

    Returns:
        A baseline JPEG of PHOTO_WIDTH x PHOTO_HEIGHT pixels, 4:2:0, without metadata.
    """
    desk = Image.new("RGB", (_WIDE, _TALL), tuple(int(c) for c in rng.integers(40, 200, 3)))
    corners = _corners(rng)
    method, coefficients = Image.Transform.PERSPECTIVE, _perspective(corners)
    seen = card.transform(desk.size, method, coefficients, Image.Resampling.BILINEAR)
    outline = Image.new("L", desk.size, 0)
    ImageDraw.Draw(outline).polygon([(x, y) for x, y in corners.tolist()], fill=255)
    desk.paste(seen, mask=outline)
    small = desk.resize((PHOTO_WIDTH, PHOTO_HEIGHT), Image.Resampling.BOX)
    small = small.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.0, 0.7))))
    pixels = np.asarray(small, dtype=np.float32) * _light(rng)
    grain = rng.normal(0, 1, pixels.shape).astype(np.float32)
    pixels += grain * float(rng.uniform(1.5, 5.0)) * np.sqrt(np.clip(pixels, 16, 255) / 160)
    buffer = io.BytesIO()
    photo = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    photo.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")
    return buffer.getvalue()


def _light(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Gain of each pixel and channel: colour of the lamp, its fall-off, and a glare."""
    y, x = np.mgrid[-1 : 1 : PHOTO_HEIGHT * 1j, -1 : 1 : PHOTO_WIDTH * 1j].astype(np.float32)
    turn, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.16)
    falloff = 1 + slope * (np.cos(turn) * x + np.sin(turn) * y)
    glare_x, glare_y = rng.uniform(-1, 1, 2)
    glare = rng.uniform(0, 0.14) * np.exp(-((x - glare_x) ** 2 + (y - glare_y) ** 2) / 0.18)
    lamp = rng.uniform(0.76, 1.0) * rng.uniform(0.93, 1.07, 3)
    gain: npt.NDArray[np.float32] = ((falloff + glare)[..., None] * lamp).astype(np.float32)
    return gain


def _corners(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Where the card's corners are seen: (4, 2) x and y in pixels, clockwise from the top left."""
    reach = rng.uniform(0.93, 0.97)
    half = np.array([_WIDE, _TALL]) / 2 * reach
    angle = np.deg2rad(rng.uniform(-1.8, 1.8))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    seen: npt.NDArray[np.float64] = (_SQUARE * half) @ turn + np.array([_WIDE, _TALL]) / 2
    return seen + rng.uniform(-14, 14, (4, 2)) + rng.uniform(-8, 8, 2)


def _perspective(seen: npt.NDArray[np.float64]) -> list[float]:
    """Coefficients that map the photo's pixels to the card's, for Image.transform."""
    there = (_SQUARE + 1) / 2 * np.array([CARD_WIDTH, CARD_HEIGHT])
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, there, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(c) for c in np.linalg.solve(np.array(rows), np.array(values))]
