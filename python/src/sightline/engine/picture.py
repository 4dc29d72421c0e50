"""One decoded picture, as its file stores it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

# How stored pixels become upright, by EXIF orientation.
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MIRRORED_X, _MIRRORED_Y, _FIRST_SWAPPED = (2, 3, 7, 8), (3, 4, 6, 7), 5

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """The pixels of a file, which may be decoded at a fraction of their size.

    Args:
        pixels: Mode RGB, not yet upright. Its last row and column may lie partly outside the
            picture, because `scale` rounds the size up.
        orientation: EXIF value, 1 to 8.
        stored: Width and height in the file, in pixels, not yet upright.
        scale: 1, 2, 4 or 8: pixels of the file, in each direction, for one of `pixels`.
    """

    pixels: Image.Image
    orientation: int
    stored: tuple[int, int]
    scale: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture at full size, in pixels."""
        return upright_size(self.stored, self.orientation)

    def upright(self) -> Image.Image:
        """Return the pixels, rotated or mirrored, at the decoded size."""
        return _upright(self.pixels, self.orientation)

    def resize_box(
        self, size: tuple[int, int], filter_: Image.Resampling, box: Box, reducing_gap: float
    ) -> Image.Image:
        """Resize a part of the picture.

        The part is turned after the resize, when there are few pixels.

        Args:
            size: Width and height of the result, upright.
            filter_: Filter of the resize.
            box: Left, top, right and bottom of the part in the upright picture at full size.
            reducing_gap: As for `PIL.Image.Image.resize`; above 1.

        Returns:
            Mode RGB, upright.
        """
        swapped = self.orientation >= _FIRST_SWAPPED
        part = self.pixels.resize(
            size[::-1] if swapped else size, filter_, self._stored_box(box), reducing_gap
        )
        return _upright(part, self.orientation)

    def _stored_box(self, box: Box) -> Box:
        """Return the box in `pixels` of a box in the upright picture at full size."""
        left, top, right, bottom = box
        if self.orientation >= _FIRST_SWAPPED:
            left, top, right, bottom = top, left, bottom, right
        width, height = self.stored
        if self.orientation in _MIRRORED_X:
            left, right = width - right, width - left
        if self.orientation in _MIRRORED_Y:
            top, bottom = height - bottom, height - top
        columns, rows = self.pixels.size
        return (
            max(left / self.scale, 0),
            max(top / self.scale, 0),
            min(right / self.scale, columns),
            min(bottom / self.scale, rows),
        )


def upright_size(stored: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return width and height after the rotation that an EXIF orientation asks for."""
    return stored[::-1] if orientation >= _FIRST_SWAPPED else stored


def _upright(rgb: Image.Image, orientation: int) -> Image.Image:
    method = _TRANSPOSED.get(orientation)
    return rgb if method is None else rgb.transpose(method)
