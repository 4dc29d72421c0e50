"""The settings of an image feed: the steps from a decoded image to the model's input tensor."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.bundle.fields import Fields

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
_LARGEST_SIDE = 16_384


@dataclass(frozen=True)
class Size:
    """A height and a width in pixels."""

    height: int
    width: int


@dataclass(frozen=True)
class Resize:
    """`shortest_edge`: keep the aspect ratio (height = width = that edge); `stretch`: exact."""

    mode: str
    height: int
    width: int
    interpolation: str

    def size_of(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return width and height after the resize of an upright picture of this size.

        `shortest_edge` rounds the longer edge down like torchvision's Resize.
        """
        if self.mode == "stretch":
            return self.width, self.height
        width, height = size
        edge = self.height
        if width <= height:
            return edge, int(edge * height / width)
        return int(edge * width / height), edge


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop and colour order of an image. The graph applies mean and std, both in 0..1."""

    color: str
    resize: Resize
    crop: Size | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def size(self) -> Size:
        """The model's input size: the size of the centre crop, else of the resize."""
        return self.crop or Size(self.resize.height, self.resize.width)

    @property
    def scale_and_bias(self) -> tuple[list[float], list[float]]:
        """Per channel: (x / 255 - mean) / std = x * scale + bias, for x in 0..255."""
        pairs = list(zip(self.mean, self.std, strict=True))
        return [1 / (255 * std) for _, std in pairs], [-mean / std for mean, std in pairs]


def read_preprocessing(item: Fields) -> Preprocessing:
    """Read the object `feed` of an image input; `preprocessing` in format 1.

    Raises:
        WrongUseError: INVALID_BUNDLE, naming the field.
    """
    resize = item.child("resize")
    size = _size(resize)
    mode = resize.text("mode", ("shortest_edge", "stretch"))
    if mode == "shortest_edge" and size.height != size.width:
        resize.fail("width", f"must equal height ({size.height}) if mode is shortest_edge")
    mean, std = item.numbers("mean", 3), item.numbers("std", 3)
    if min(std) <= 0:
        item.fail("std", "must be above 0")
    crop = _size(item.child("crop")) if item.has("crop") else None
    if crop is None and mode == "shortest_edge":
        item.fail("crop", "must be given if the resize keeps the aspect ratio")
    return Preprocessing(
        color=item.text("color", ("RGB",)),
        resize=Resize(mode, size.height, size.width, resize.text("interpolation", INTERPOLATIONS)),
        crop=crop,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )


def _size(item: Fields) -> Size:
    return Size(item.integer("height", 1, _LARGEST_SIDE), item.integer("width", 1, _LARGEST_SIDE))
