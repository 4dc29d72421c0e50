"""How the engine is asked to run: sizes and caps, in one value."""

from dataclasses import dataclass

from sightline.errors import WrongUseError

DEFAULT_BATCH_ROWS = 32
DEFAULT_TOP_K = 5
DEFAULT_MAX_IMAGE_BYTES = 64 * 1024 * 1024
DEFAULT_MAX_IMAGE_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Sizes and caps of one run of the engine.

    Args:
        batch_rows: Images in one model batch, at least 1.
        top_k: Classes kept for each image, at least 1; ``None`` keeps all of them.
        max_image_bytes: Encoded images above this are TOO_LARGE.
        max_image_pixels: Images whose header claims more are TOO_LARGE; nothing is decoded.

    Raises:
        WrongUseError: BAD_VALUE if a number is below 1.
    """

    batch_rows: int = DEFAULT_BATCH_ROWS
    top_k: int | None = DEFAULT_TOP_K
    max_image_bytes: int = DEFAULT_MAX_IMAGE_BYTES
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS

    def __post_init__(self) -> None:
        for name in ("batch_rows", "top_k", "max_image_bytes", "max_image_pixels"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise WrongUseError("BAD_VALUE", f"{name} is {value}; it must be at least 1.")
