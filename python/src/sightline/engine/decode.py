"""Encoded bytes to RGB pixels, or the reason why not."""

import io
import warnings

from PIL import Image, ImageFile, UnidentifiedImageError

from sightline.bundle.manifest import Size
from sightline.engine.jpeg_scans import read_jpeg_scans
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.engine.spec import EngineSpec
from sightline.engine.to_rgb import UnsupportedPixelsError, to_rgb
from sightline.engine.upright import upright
from sightline.row_error import ErrorCode, RowError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

# The cap of Pillow is a warning first and counts differently. Ours is read from the header too.
Image.MAX_IMAGE_PIXELS = None
# Pixels that are not in the file are never made up.
ImageFile.LOAD_TRUNCATED_IMAGES = False
quiet_decoders()

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
}
_RIFF_HEADER_BYTES = 8


def decode(
    content: bytes | memoryview, spec: EngineSpec, at_least: Size | None = None
) -> Image.Image | RowError:
    """Decode the first frame of one image.

    EXIF and XMP orientation is applied, CMYK and YCCK are converted by Pillow (Adobe's inverted
    values honoured), 16-bit samples keep their high byte, palettes and grey become RGB, and
    transparent pixels are laid on white.

    Args:
        content: One encoded file: JPEG, PNG, WebP, BMP, GIF or TIFF.
        spec: Gives the decoder, and the two caps, both checked before any pixel is decoded.
        at_least: Size that the decoder ``scaled`` may shrink a larger JPEG to; unused by others.

    Returns:
        An image of mode RGB, or a RowError of EMPTY, UNSUPPORTED, TRUNCATED, CORRUPT or
        TOO_LARGE. Never raises for what the bytes hold.
    """
    if len(content) == 0:
        return _error("EMPTY", "The file has 0 bytes.")
    if len(content) > spec.max_image_bytes:
        return _error("TOO_LARGE", f"{len(content)} bytes; the cap is {spec.max_image_bytes}.")
    encoded = bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(encoded, spec, at_least)
    except UnidentifiedImageError:
        return _unidentified(encoded)
    except UnsupportedPixelsError as error:
        return _error("UNSUPPORTED", str(error))
    except Exception as error:  # noqa: BLE001 - one image never ends a batch
        return _broken(encoded, error)


def _decode(encoded: bytes, spec: EngineSpec, at_least: Size | None) -> Image.Image | RowError:
    if _is_webp(encoded) and _riff_bytes(encoded) > len(encoded):
        promise = f"The header promises {_riff_bytes(encoded)} bytes"
        return _error("TRUNCATED", f"{promise} and the file has {len(encoded)}.")
    with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
        width, height = image.size
        if width * height > spec.max_image_pixels:
            claim = f"{width} x {height} = {width * height} pixels"
            return _error("TOO_LARGE", f"{claim}; the cap is {spec.max_image_pixels}.")
        if image.info.get("progressive") and not read_jpeg_scans(encoded).complete:
            return _error("TRUNCATED", "A progressive JPEG without all of its scans.")
        if spec.decoder != "pillow" and image.format == "JPEG" and image.mode in ("RGB", "L"):
            # Here, so that the decoder pillow does not need the package.
            from sightline.engine.fast_jpeg import fast_jpeg

            rgb = fast_jpeg(encoded, at_least if spec.decoder == "scaled" else None)
            if rgb is not None:
                return upright(rgb, image)
        image.load()
        return upright(to_rgb(image), image)


def _unidentified(encoded: bytes) -> RowError:
    name = "WEBP" if _is_webp(encoded) else None
    name = next((n for s, n in _SIGNATURES.items() if encoded.startswith(s)), name)
    if name is None:
        return _error("UNSUPPORTED", f"Not one of the formats {', '.join(FORMATS)}.")
    if name == "JPEG" and read_jpeg_scans(encoded).precision_bits not in (8, None):
        bits = read_jpeg_scans(encoded).precision_bits
        return _error("UNSUPPORTED", f"A JPEG with {bits} bits a sample; 8 can be read.")
    return _error("CORRUPT", f"It begins like {name}, but its header cannot be read.")


def _broken(encoded: bytes, error: Exception) -> RowError:
    text = f"{type(error).__name__}: {error}"
    is_cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
    return _error("TRUNCATED" if is_cut else "CORRUPT", text)


def _riff_bytes(encoded: bytes) -> int:
    return _RIFF_HEADER_BYTES + int.from_bytes(encoded[4:8], "little")


def _is_webp(encoded: bytes) -> bool:
    return encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP"


def _error(code: ErrorCode, message: str) -> RowError:
    return RowError(code, "decode", message)
