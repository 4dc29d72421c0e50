"""The card's printed background: wave families and rosettes of fine lines, as on banknotes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from cards.layout import CARD_HEIGHT, CARD_WIDTH

MARGIN = 40  # pixels of print beyond each edge, for backgrounds that are shifted


@lru_cache(maxsize=1)
def background() -> Image.Image:
    """Return the unshifted background, MARGIN pixels larger than the card on each side.

    Returns:
        RGB, (CARD_HEIGHT + 2 MARGIN, CARD_WIDTH + 2 MARGIN). Do not draw on it: it is shared.
    """
    y, x = np.mgrid[-MARGIN : CARD_HEIGHT + MARGIN, -MARGIN : CARD_WIDTH + MARGIN].astype(
        np.float32
    )
    across = np.clip(x / CARD_WIDTH, 0, 1)[..., None]
    left, right = np.array([[222, 234, 240], [242, 230, 222]], np.float32)
    paper = left * (1 - across) + right * across
    waves = y + 16 * np.sin(x / 61) + 9 * np.sin(x / 23 + y / 90)
    paper = _print(paper, _lines(waves, 13, 2.4), (96, 150, 176), 0.55)
    tilted = 0.5 * x + y + 14 * np.sin((x - y) / 47)
    paper = _print(paper, _lines(tilted, 19, 2.2), (190, 140, 150), 0.42)
    for cx, cy, radius, petals in ((780, 250, 190, 9), (300, 470, 120, 7)):
        distance = np.hypot(x - cx, y - cy)
        angle = np.arctan2(y - cy, x - cx)
        rings = distance + 12 * np.sin(petals * angle) * np.clip(distance / radius, 0, 1)
        inside = np.clip((radius - distance) / 6, 0, 1)
        paper = _print(paper, _lines(rings, 12, 2.4) * inside, (120, 132, 190), 0.5)
    return Image.fromarray(paper.astype(np.uint8))


def rosette_mask(cx: float, cy: float, radius: float) -> npt.NDArray[np.float32]:
    """Return the overprint of the portrait and the card: rings of petals over its lower corner.

    Args:
        cx: Horizontal centre in pixels of the card.
        cy: Vertical centre in pixels of the card.
        radius: Radius in pixels.

    Returns:
        (CARD_HEIGHT, CARD_WIDTH) float32 coverage, 0..1.
    """
    y, x = np.mgrid[0:CARD_HEIGHT, 0:CARD_WIDTH].astype(np.float32)
    distance = np.hypot(x - cx, y - cy)
    angle = np.arctan2(y - cy, x - cx)
    rings = distance + 7 * np.sin(8 * angle)
    mask: npt.NDArray[np.float32] = _lines(rings, 13, 3.0) * np.clip((radius - distance) / 4, 0, 1)
    return mask


def _lines(field: npt.NDArray[np.float32], spacing: float, width: float) -> npt.NDArray[np.float32]:
    offset = np.abs(np.mod(field, spacing) - spacing / 2)
    return np.clip(width / 2 + 0.5 - offset, 0, 1).astype(np.float32)


def _print(
    paper: npt.NDArray[np.float32],
    coverage: npt.NDArray[np.float32],
    ink: tuple[int, int, int],
    strength: float,
) -> npt.NDArray[np.float32]:
    share = (coverage * strength)[..., None]
    return (paper * (1 - share) + np.array(ink, np.float32) * share).astype(np.float32)
