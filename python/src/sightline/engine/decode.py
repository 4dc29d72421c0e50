"""Decodes one encoded image to RGB pixels, or returns the error."""

from __future__ import annotations

import importlib
import io
import mmap
import struct
from collections.abc import Callable

from PIL import Image

from sightline.bundle.preprocessing import Size
from sightline.engine.file_format import FORMATS, file_format
from sightline.engine.header_limits import TooLargeError, check_header, check_pixels
from sightline.engine.jpeg_scans import read_jpeg_scans
from sightline.engine.spec import EngineSpec
from sightline.engine.strip_png import strip_png
from sightline.engine.to_rgb import UnsupportedPixelsError, to_rgb, with_profile
from sightline.engine.upright import orientation_of, upright
from sightline.row_error import ErrorCode, RowError

_PLUGINS = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "WEBP": "WebPImagePlugin",
    "BMP": "BmpImagePlugin",
    "GIF": "GifImagePlugin",
    "TIFF": "TiffImagePlugin",
}
_RIFF_HEADER_BYTES = 8
# Pillow uses up to 4 bytes per pixel. A conversion or a rotation makes another image, a progressive
# JPEG keeps its coefficients, and WebP keeps two canvases and a copy of one.
_BYTES_PER_PIXEL = 10
_WEBP_BYTES_PER_PIXEL = 20
# Parts of Pillow's messages for a valid file that Pillow cannot read.
_UNSUPPORTED = ("unsupported", "not supported", "not yet supported", "unknown pixel mode")
_OUT_OF_MEMORY = "out of memory"
_TIFF_COLOUR_MAP = 320  # a KeyError for any other tag means an unknown compression


def decode(
    content: bytes | memoryview,
    spec: EngineSpec,
    at_least: Size | None = None,
    reserve: Callable[[int], object] | None = None,
) -> Image.Image | RowError:
    """Decode the first frame of one image, as docs/images.md specifies.

    Args:
        content: One encoded file: JPEG, PNG, WebP, BMP, GIF or TIFF.
        spec: Gives the decoder and the two limits. Both are checked before any pixel is decoded.
        at_least: Minimum size to which the decoder ``scaled`` may shrink a larger JPEG. The other
            decoders ignore it.
        reserve: Called once, before the pixels are decoded, with the bytes that they will need.

    Returns:
        An image of mode RGB, or a RowError with the code EMPTY, UNSUPPORTED, TRUNCATED, CORRUPT or
        TOO_LARGE. If the colours are not sRGB yet, the image has ``info["icc_profile"]``, and
        `to_srgb` converts them. That is cheap after the image has been resized.

    Raises:
        MemoryError: If the machine has no memory for the pixels. The file may be valid.
        Warning: If the process turns Pillow's warnings into errors (``python -W error``).
    """
    if len(content) == 0:
        return _error("EMPTY", "The file has 0 bytes.")
    if len(content) > spec.max_image_bytes:
        return _error("TOO_LARGE", f"{len(content)} bytes; the cap is {spec.max_image_bytes}.")
    encoded = bytes(content)
    format_ = file_format(encoded)
    if format_ is None:
        return _error("UNSUPPORTED", f"Not one of the formats {', '.join(FORMATS)}.")
    needed = 0
    try:
        needed = _needed_bytes(format_, check_header(encoded, format_, spec.max_image_pixels))
        if format_ == "WEBP" and _riff_bytes(encoded) > len(encoded):
            promise = f"The header promises {_riff_bytes(encoded)} bytes"
            return _error("TRUNCATED", f"{promise} and the file has {len(encoded)}.")
        if format_ == "PNG":
            encoded = strip_png(encoded)
        try:
            image = _open(encoded, format_)
        except (SyntaxError, LookupError, TypeError, ValueError, struct.error) as error:
            return _unreadable_header(encoded, format_, error)
        with image:
            check_pixels(*image.size, spec.max_image_pixels)
            needed = _needed_bytes(format_, image.width * image.height)
            if image.info.get("progressive") and not read_jpeg_scans(encoded).complete:
                return _error("TRUNCATED", "A progressive JPEG without all of its scans.")
            if reserve is not None:
                reserve(needed)
            return _pixels(image, encoded, spec, at_least)
    except (TooLargeError, Image.DecompressionBombError) as error:
        return _error("TOO_LARGE", str(error))
    except UnsupportedPixelsError as error:
        return _error("UNSUPPORTED", str(error))
    except Warning:
        raise
    except Exception as error:
        # Most decoders report a failed allocation as a broken file.
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY in str(error) or not _is_free(needed):
            raise MemoryError(f"there is none for {needed} bytes of pixels") from error
        return _broken(error)


def _open(encoded: bytes, format_: str) -> Image.Image:
    """Open the file like Image.open, but without its limit, which is global to the process."""
    if format_ not in Image.OPEN:
        importlib.import_module(f"PIL.{_PLUGINS[format_]}")
    factory, _ = Image.OPEN[format_]
    return factory(io.BytesIO(encoded), "")


def _pixels(
    image: Image.Image, encoded: bytes, spec: EngineSpec, at_least: Size | None
) -> Image.Image:
    if spec.decoder != "pillow" and image.format == "JPEG" and image.mode in ("RGB", "L"):
        # Imported here, so that the decoder pillow does not need the package.
        from sightline.engine.fast_jpeg import fast_jpeg

        rgb = fast_jpeg(encoded, image.size, at_least if spec.decoder == "scaled" else None)
        if rgb is not None:
            return upright(with_profile(rgb, image), orientation_of(image))
    image.load()
    orientation = orientation_of(image)
    return upright(to_rgb(image), orientation)


def _needed_bytes(format_: str, pixels: int) -> int:
    return pixels * (_WEBP_BYTES_PER_PIXEL if format_ == "WEBP" else _BYTES_PER_PIXEL)


def _is_free(size: int) -> bool:
    """Whether the process can allocate `size` bytes now; the pages are not touched."""
    try:
        mmap.mmap(-1, max(size, 1)).close()
    except (OSError, MemoryError):
        return False
    return True


def _unreadable_header(encoded: bytes, format_: str, error: Exception) -> RowError:
    if _is_unsupported(error):
        return _error("UNSUPPORTED", f"{format_}: {error}.")
    if (
        format_ == "TIFF"
        and isinstance(error.__cause__, KeyError)
        and error.args[0].args[0] != _TIFF_COLOUR_MAP
    ):
        return _error("UNSUPPORTED", f"A TIFF of compression {error}.")
    if "truncated" in str(error).lower():
        return _broken(error)
    if format_ == "JPEG" and read_jpeg_scans(encoded).precision_bits not in (8, None):
        bits = read_jpeg_scans(encoded).precision_bits
        return _error("UNSUPPORTED", f"A JPEG with {bits} bits a sample; 8 can be read.")
    return _error("CORRUPT", f"It begins like {format_}, but its header cannot be read.")


def _broken(error: Exception) -> RowError:
    text = f"{type(error).__name__}: {error}"
    if _is_unsupported(error):
        return _error("UNSUPPORTED", text)
    is_cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
    return _error("TRUNCATED" if is_cut else "CORRUPT", text)


def _is_unsupported(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _UNSUPPORTED)


def _riff_bytes(encoded: bytes) -> int:
    return _RIFF_HEADER_BYTES + int.from_bytes(encoded[4:8], "little")


def _error(code: ErrorCode, message: str) -> RowError:
    return RowError(code, "decode", message)
