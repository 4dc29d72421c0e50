"""Decodes one encoded image to RGB pixels, or returns an error."""

from __future__ import annotations

import importlib
import io
import mmap
import struct
import zlib
from collections.abc import Callable

from PIL import ExifTags, Image, JpegImagePlugin

from sightline.engine.colours import UnsupportedPixelsError, to_rgb
from sightline.engine.image_header import (
    FORMATS,
    TooLargeError,
    check_header,
    check_pixels,
    file_format,
    keeps_coefficients,
    read_jpeg_scans,
)
from sightline.engine.picture import Picture, upright_size
from sightline.engine.settings import EngineSettings
from sightline.row_error import ErrorCode, RowError

_PLUGINS = {
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
# For each pixel of the full size, up to four components with two bytes for each coefficient.
_COEFFICIENT_BYTES_PER_PIXEL = 8
# Parts of Pillow's messages for a valid file that Pillow cannot read.
_UNSUPPORTED = ("unsupported", "not supported", "not yet supported", "unknown pixel mode")
_OUT_OF_MEMORY = "out of memory"
_TIFF_COLOUR_MAP = 320  # a KeyError for any other tag means an unknown compression
# Pillow refuses the whole image if a text or profile inflates to more than this.
_MOST_INFLATED_BYTES = 2**20
_SIGNATURE_BYTES = 8
_FRAME_BYTES = 12  # length, name and checksum of a chunk
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILE = b"iCCP"
# Texts that may hold the orientation: XMP, and EXIF as ImageMagick writes it.
_ORIENTATION = (b"XML:com.adobe.xmp", b"Raw profile type exif")


AtLeast = Callable[[tuple[int, int]], tuple[int, int]]
"""From width and height of the upright picture to those that its pixels need at least."""


def decode(content: bytes | memoryview, spec: EngineSettings) -> Image.Image | RowError:
    """Decode one image at full size, upright. See `decode_picture`."""
    found = decode_picture(content, spec)
    return found if isinstance(found, RowError) else found.upright()


def decode_picture(
    content: bytes | memoryview,
    spec: EngineSettings,
    at_least: AtLeast | None = None,
    reserve: Callable[[int], object] | None = None,
) -> Picture | RowError:
    """Decode the first frame of one image, as docs/images.md specifies.

    Args:
        content: One encoded file: JPEG, PNG, WebP, BMP, GIF or TIFF.
        spec: The two limits. Both are checked before any pixel is decoded, and refer to the full
            size. `spec.decoder` is ignored: `at_least` says what may be scaled.
        at_least: A JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, but not below this one.
            None decodes at full size.
        reserve: Called once before the pixels are decoded, with the number of bytes they need.

    Returns:
        A picture, or a RowError with the code EMPTY, UNSUPPORTED, TRUNCATED, CORRUPT or TOO_LARGE.
        If the colours are not sRGB yet, the pixels have ``info["icc_profile"]``, and `to_srgb`
        converts them. That is cheap after the image has been resized.

    Raises:
        MemoryError: If the machine has no memory for the pixels. The file may be valid.
        Warning: If Python runs with warnings as errors (``python -W error``).
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
            promise = f"The header states {_riff_bytes(encoded)} bytes"
            return _error("TRUNCATED", f"{promise} and the file has {len(encoded)}.")
        if format_ == "PNG":
            encoded = _strip_png(encoded)
        try:
            image = _open(encoded, format_)
        except (SyntaxError, LookupError, TypeError, ValueError, struct.error) as error:
            return _unreadable_header(encoded, format_, error)
        with image:
            check_pixels(*image.size, spec.max_image_pixels)
            if image.info.get("progressive") and not read_jpeg_scans(encoded).complete:
                return _error("TRUNCATED", "A progressive JPEG with missing scans.")
            stored = image.size
            orientation, scale = 1, 1
            if format_ == "JPEG":
                orientation = _orientation_of(image)
                scale = _scale_jpeg(image, orientation, at_least) if at_least else 1
            needed = _needed_bytes(format_, image.width * image.height)
            if scale > 1 and keeps_coefficients(encoded):
                needed += _COEFFICIENT_BYTES_PER_PIXEL * stored[0] * stored[1]
            if reserve is not None:
                reserve(needed)
            image.load()
            if format_ != "JPEG":
                orientation = _orientation_of(image)
            rgb = to_rgb(image)
            # Pillow turns a TIFF when it loads the file, so its size is known only now.
            return Picture(rgb, orientation, rgb.size if scale == 1 else stored, scale)
    except (TooLargeError, Image.DecompressionBombError) as error:
        return _error("TOO_LARGE", str(error))
    except UnsupportedPixelsError as error:
        return _error("UNSUPPORTED", str(error))
    except Warning:
        raise
    except Exception as error:
        # Most decoders report a failed allocation as a damaged file.
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY in str(error) or not _is_free(needed):
            raise MemoryError(f"there is no memory for {needed} bytes of pixels") from error
        return _broken(error)


def _open(encoded: bytes, format_: str) -> Image.Image:
    """Open the file like Image.open, but without its limit, which is global to the process."""
    if format_ == "JPEG":
        # Image.open gives a class of its own for several pictures (MPO); only the first counts.
        return JpegImagePlugin.JpegImageFile(io.BytesIO(encoded), "")
    if format_ not in Image.OPEN:
        importlib.import_module(f"PIL.{_PLUGINS[format_]}")
    factory, _ = Image.OPEN[format_]
    return factory(io.BytesIO(encoded), "")


def _scale_jpeg(image: Image.Image, orientation: int, at_least: AtLeast) -> int:
    """Let libjpeg decode at a fraction of the size, if the picture is large enough.

    libjpeg scales in the DCT, which costs less than decoding all pixels.

    Args:
        image: An opened JPEG that is not loaded. Its size becomes the scaled one, rounded up.
        orientation: EXIF value, 1 to 8.
        at_least: See `decode_picture`.

    Returns:
        1, 2, 4 or 8: how many pixels of the file become one, in each direction.
    """
    width, height = upright_size(at_least(upright_size(image.size, orientation)), orientation)
    if image.width < 2 * width or image.height < 2 * height:
        return 1
    full = image.width
    drafted = image.draft(None, (width, height))  # None: the colour mode stays
    return round(full / drafted[1][2]) if drafted else 1


def _needed_bytes(format_: str, pixels: int) -> int:
    return pixels * (_WEBP_BYTES_PER_PIXEL if format_ == "WEBP" else _BYTES_PER_PIXEL)


def _is_free(size: int) -> bool:
    """Whether the process can allocate `size` bytes now. The pages are not touched."""
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
        return _error("UNSUPPORTED", f"A JPEG with {bits} bits per sample; only 8 can be read.")
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


def _orientation_of(image: Image.Image) -> int:
    """Return the orientation from EXIF or XMP; 1 if there is none, or the metadata are damaged.

    Args:
        image: The opened file. A PNG or TIFF must be loaded: PNG may store its metadata after the
            pixels, and Pillow applies a TIFF's orientation when it loads the file.
    """
    try:
        found = int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (MemoryError, Warning):
        raise
    except Exception:  # noqa: BLE001 - damaged metadata do not make the pixels wrong
        return 1
    return found if found in range(1, 9) else 1


def _strip_png(encoded: bytes) -> bytes:
    """Remove every text without an orientation, and a colour profile that cannot be read.

    Args:
        encoded: The whole file.

    Returns:
        `encoded` itself if there is nothing to remove.
    """
    parts: list[bytes] = []
    seen: set[bytes] = set()
    position, start = _SIGNATURE_BYTES, 0
    while position + _FRAME_BYTES <= len(encoded):
        length, name = struct.unpack_from(">I4s", encoded, position)
        if name == b"IEND":  # 64 MiB of zeros behind it would be 6 million empty chunks
            break
        end = position + _FRAME_BYTES + length
        if end <= len(encoded) and (name in _TEXTS or name == _PROFILE):
            body = encoded[position + 8 : end - 4]
            keyword, _, rest = body.partition(b"\0")
            is_wanted = name == _PROFILE or (keyword in _ORIENTATION and keyword not in seen)
            seen.add(keyword)
            if not (is_wanted and _is_readable(name, rest)):
                parts.append(encoded[start:position])
                start = end
        position = end
    return b"".join([*parts, encoded[start:]]) if parts else encoded


def _is_readable(name: bytes, rest: bytes) -> bool:
    """Whether Pillow can read the data after the keyword: size limit, compression method 0."""
    if name == b"tEXt" or (name == b"iTXt" and rest[:1] == b"\0"):
        return len(rest) <= _MOST_INFLATED_BYTES
    if name == b"iTXt":
        method, rest = rest[1:2], rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        method, rest = rest[:1], rest[1:]
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(rest, _MOST_INFLATED_BYTES)
    except zlib.error:
        return False
    return method == b"\0" and not inflater.unconsumed_tail
