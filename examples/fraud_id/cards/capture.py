"""The camera: the same code photographs and encodes every card, genuine or forged."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cards.layout import CARD_HEIGHT, CARD_WIDTH, Box

PHOTO_WIDTH, PHOTO_HEIGHT = 480, 312
_WIDE, _TALL = 2 * PHOTO_WIDTH, 2 * PHOTO_HEIGHT  # photographed at twice the size, then reduced
_JPEG_QUALITY = 90
_SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
_SQUARE_CARD = (_SQUARE + 1) / 2 * np.array([CARD_WIDTH, CARD_HEIGHT])


@dataclass(frozen=True)
class Photo:
    """A baseline JPEG of PHOTO_WIDTH x PHOTO_HEIGHT pixels, 4:2:0, without metadata.

    `corners` are the positions of the card's corners: (4, 2) x and y in pixels, top left first.
    """

    jpeg: bytes
    corners: npt.NDArray[np.float64]

    def find(self, box: Box) -> Box:
        """Return the smallest upright box in the photo that contains a box of the card."""
        left, top, right, bottom = box
        a, b, c, d, e, f, g, h = _perspective(_SQUARE_CARD, self.corners)
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        x, y = points.T
        scale = g * x + h * y + 1
        seen_x, seen_y = (a * x + b * y + c) / scale, (d * x + e * y + f) / scale
        return int(seen_x.min()), int(seen_y.min()), int(seen_x.max()) + 1, int(seen_y.max()) + 1


def photograph(card: Image.Image, rng: np.random.Generator) -> Photo:
    """Photograph a card on a desk.

    Args:
        card: RGB, (CARD_HEIGHT, CARD_WIDTH).
        rng: Determines perspective, light, focus, noise and desk. The encoding never changes.
    """
    desk = Image.new("RGB", (_WIDE, _TALL), tuple(int(c) for c in rng.integers(40, 200, 3)))
    corners = _corners(rng)
    method, coefficients = Image.Transform.PERSPECTIVE, _perspective(corners, _SQUARE_CARD)
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
    return Photo(buffer.getvalue(), corners / 2)


def _light(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return the gain of each pixel and channel: colour of the lamp, fall-off, and glare."""
    y, x = np.mgrid[-1 : 1 : PHOTO_HEIGHT * 1j, -1 : 1 : PHOTO_WIDTH * 1j].astype(np.float32)
    turn, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.16)
    falloff = 1 + slope * (np.cos(turn) * x + np.sin(turn) * y)
    glare_x, glare_y = rng.uniform(-1, 1, 2)
    glare = rng.uniform(0, 0.14) * np.exp(-((x - glare_x) ** 2 + (y - glare_y) ** 2) / 0.18)
    lamp = rng.uniform(0.76, 1.0) * rng.uniform(0.93, 1.07, 3)
    gain: npt.NDArray[np.float32] = ((falloff + glare)[..., None] * lamp).astype(np.float32)
    return gain


def _corners(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the corners of the card: (4, 2) x and y in pixels, clockwise from the top left."""
    reach = rng.uniform(0.93, 0.97)
    half = np.array([_WIDE, _TALL]) / 2 * reach
    angle = np.deg2rad(rng.uniform(-1.8, 1.8))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    seen: npt.NDArray[np.float64] = (_SQUARE * half) @ turn + np.array([_WIDE, _TALL]) / 2
    return seen + rng.uniform(-14, 14, (4, 2)) + rng.uniform(-8, 8, 2)


def _perspective(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]
) -> tuple[float, ...]:
    """Return a to h of the map x, y -> (ax + by + c) / (gx + hy + 1), (dx + ey + f) / (...).

    It maps four points to four others. Image.transform expects the map from output to input.
    """
    rows, values = [], []
    for (x, y), (u, v) in zip(before, after, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(c) for c in np.linalg.solve(np.array(rows), np.array(values)))
