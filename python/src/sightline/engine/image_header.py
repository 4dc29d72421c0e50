"""Reads a file's format, size limits and JPEG scans from its bytes, before decoding.

`check_header` limits the memory that the header would make a decoder allocate. The width and
height of the image do not limit that. TIFF decodes whole tiles, which may be larger than the image.
WebP allocates its canvas when it is opened. A TIFF tag becomes a Python tuple.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
}

# The decoder processes all coefficients again for each scan. Encoders write about ten scans.
_MOST_SCANS = 100
_WINDOW_BYTES = 2**20
# Each value of a tag takes up to 36 bytes as a Python object. The largest image has fewer strips or
# tiles than this.
_MOST_TAG_VALUES = 2**20
_MOST_TAGS = 65_536

_IMAGE_WIDTH, _IMAGE_LENGTH, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 322, 323
_LAYOUT_TAGS = {
    256: "ImageWidth",
    257: "ImageLength",
    258: "BitsPerSample",
    259: "Compression",
    262: "PhotometricInterpretation",
    277: "SamplesPerPixel",
    278: "RowsPerStrip",
    284: "PlanarConfiguration",
    322: "TileWidth",
    323: "TileLength",
}
_DIRECTORY_TAGS = {34665: "EXIF", 34853: "GPS", 40965: "Interoperability"}
_MOST_NESTED = 2
_BYTES_TYPES = (1, 2, 7)  # BYTE, ASCII, UNDEFINED: kept as bytes
_TYPE_BYTES = {3: 2, 4: 4, 13: 4, 16: 8, 17: 8, 18: 8}

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STANDALONE = {0x01, 0xD8}
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES = (0xC2, 0xC6, 0xCA, 0xCE)
_COEFFICIENTS = 64


def file_format(encoded: bytes) -> str | None:
    """Return one of `FORMATS`, or None. The file's name and extension are ignored."""
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
        return "WEBP"
    return next((name for start, name in _SIGNATURES.items() if encoded.startswith(start)), None)


class TooLargeError(Exception):
    """Decoding the file would exceed a limit."""


class DamagedHeaderError(Exception):
    """The header contradicts itself."""


def check_pixels(width: int, height: int, max_pixels: int, what: str = "") -> None:
    """Raise an error if a size has too many pixels.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        max_pixels: Limit in pixels.
        what: Start of the message, such as ``Tiles of``, if the size is not that of the image.

    Raises:
        TooLargeError: If there are more pixels than the limit.
    """
    if width * height > max_pixels:
        claim = f"{what} {width} x {height} = {width * height} pixels".strip()
        raise TooLargeError(f"{claim}; the cap is {max_pixels}.")


def check_header(encoded: bytes, format_: str, max_pixels: int) -> int:
    """Raise an error if the decoder would allocate more than `max_pixels` pixels.

    Args:
        encoded: The whole file.
        format_: From `file_format`. PNG, GIF and BMP need no check here, because the size of the
            opened image is enough.
        max_pixels: Limit in pixels, also for the canvas and the tiles.

    Returns:
        Number of pixels that the decoder allocates when it opens the file.

    Raises:
        TooLargeError: If there are more pixels, a TIFF tag has more than 1,048,576 values, or a
            JPEG has more than 100 scans.
        DamagedHeaderError: If a TIFF has two values for one tag. Libraries differ in the value
            that they use.
    """
    if format_ == "TIFF":
        _check_tiff(encoded, max_pixels)
    elif format_ == "WEBP":
        width, height = _webp_canvas(encoded)
        check_pixels(width, height, max_pixels)
        return width * height
    elif format_ == "JPEG":
        scans = _jpeg_scans(encoded)
        if scans > _MOST_SCANS:
            raise TooLargeError(f"A JPEG of {scans} scans; the cap is {_MOST_SCANS}.")
    return 0


def _jpeg_scans(encoded: bytes) -> int:
    """Return the number of start-of-scan markers. Compressed data never contains 0xFF 0xDA.

    This runs for each JPEG. `bytes.count` with two bytes took four times as long.
    """
    codes = np.frombuffer(encoded, np.uint8)
    scans = 0
    for start in range(0, len(codes), _WINDOW_BYTES):
        window = codes[start : start + _WINDOW_BYTES + 1]
        scans += int(np.count_nonzero((window[:-1] == 0xFF) & (window[1:] == 0xDA)))
    return scans


def _webp_canvas(encoded: bytes) -> tuple[int, int]:
    """Return width and height; 0 and 0 for a damaged header, which the decoder reports."""
    chunk = encoded[12:16]
    if chunk == b"VP8X" and len(encoded) >= 30:
        width = int.from_bytes(encoded[24:27], "little") + 1
        return width, int.from_bytes(encoded[27:30], "little") + 1
    if chunk == b"VP8 " and len(encoded) >= 30:
        width, height = struct.unpack_from("<HH", encoded, 26)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L" and len(encoded) >= 25:
        bits = int.from_bytes(encoded[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


@dataclass(frozen=True, slots=True)
class _Tag:
    number: int
    type: int
    count: int
    value: int  # the first value


def _check_tiff(encoded: bytes, max_pixels: int) -> None:
    layout = _check_directory(encoded, None, _LAYOUT_TAGS | _DIRECTORY_TAGS, _MOST_NESTED)
    width, height = layout.get(_IMAGE_WIDTH, 0), layout.get(_IMAGE_LENGTH, 0)
    check_pixels(width, height, max_pixels)
    tile = layout.get(_TILE_WIDTH, 0), layout.get(_TILE_LENGTH, 0)
    # Each tile is decoded completely. The part outside the image is cut off afterwards.
    check_pixels(*tile, max_pixels, "Tiles of")


def _check_directory(
    encoded: bytes, offset: int | None, names: dict[int, str], nested: int
) -> dict[int, int]:
    """Check the tags of a directory and of the directories that it points to.

    Each kind of directory is followed once. Otherwise a small file with thousands of pointers to
    directories with thousands of tags would take hours.

    Args:
        encoded: The whole file.
        offset: Position of the directory; None for the first.
        names: Names of the tags that may have only one value.
        nested: How many levels of nested directories are followed.

    Returns:
        The values of the tags of `names`.
    """
    values: dict[int, int] = {}
    for tag in _tiff_tags(encoded, offset):
        _check_count(tag)
        if tag.number in names and values.setdefault(tag.number, tag.value) != tag.value:
            raise DamagedHeaderError(f"{names[tag.number]} occurs twice.")
    if nested:
        for number in _DIRECTORY_TAGS.keys() & values.keys():
            _check_directory(encoded, values[number], _DIRECTORY_TAGS, nested - 1)
    return values


def _check_count(tag: _Tag) -> None:
    if tag.type not in _BYTES_TYPES and tag.count > _MOST_TAG_VALUES:
        message = f"Tag {tag.number} has {tag.count} values; the cap is {_MOST_TAG_VALUES}."
        raise TooLargeError(message)


def _tiff_tags(encoded: bytes, offset: int | None) -> Iterator[_Tag]:
    """Yield the tags of one directory (None: the first), up to the end of the file."""
    order = "<" if encoded[:2] == b"II" else ">"
    is_big = encoded[2 if order == "<" else 3] == ord("+")
    entry = struct.Struct(f"{order}HHQ8s" if is_big else f"{order}HHI4s")
    number = struct.Struct(f"{order}Q" if is_big else f"{order}H")
    first = struct.Struct(f"{order}8xQ" if is_big else f"{order}4xI")
    try:
        if offset is None:
            (offset,) = first.unpack_from(encoded)
        (entries,) = number.unpack_from(encoded, offset)
        for at in range(min(entries, _MOST_TAGS)):
            where = offset + number.size + at * entry.size
            tag, type_, count, inline = entry.unpack_from(encoded, where)
            size = _TYPE_BYTES.get(type_, 0)
            if size * count <= len(inline):
                start = where + entry.size - len(inline)
            else:
                start = int.from_bytes(inline, "little" if order == "<" else "big")
            value = 0
            if size:
                value = int.from_bytes(
                    encoded[start : start + size], "little" if order == "<" else "big"
                )
            yield _Tag(tag, type_, count, value)
    except struct.error:
        return


def keeps_coefficients(content: bytes) -> bool:
    """Whether libjpeg keeps all coefficients of this JPEG in memory before it makes pixels.

    It does so if the first scan does not have all the data of all components. The markers are read
    up to that scan.
    """
    is_progressive, components, position = False, 0, 2
    while found := _NEXT_MARKER.search(content, position):
        marker, position = content[found.start() + 1], found.end()
        if marker in _STANDALONE:
            continue
        if marker == _START_OF_SCAN:
            return is_progressive or content[position + 2] < components
        if marker in _START_OF_FRAME:
            is_progressive = marker in _PROGRESSIVE_FRAMES
            components = content[position + 7]
        position += max(int.from_bytes(content[position : position + 2], "big"), 2)
    return False


@dataclass(frozen=True, slots=True)
class JpegScans:
    """Properties of a JPEG's samples, read from its markers.

    Args:
        precision_bits: Bits of one sample, 8 or 12; ``None`` without a frame header.
        complete: Whether the scans contain every bit of every coefficient of every component.
            Always true for sequential JPEGs, because their decoder detects missing data.
    """

    precision_bits: int | None
    complete: bool


def read_jpeg_scans(content: bytes) -> JpegScans:
    """Read the markers of a JPEG, without decoding pixels.

    A progressive file that was cut between two scans, and has an end marker, decodes to a blurred
    image without an error. Only its scan headers show that data is missing.

    Args:
        content: The whole file. Bytes that are not a JPEG return ``JpegScans(None, True)``.
    """
    precision: int | None = None
    is_progressive = False
    bits_missing: dict[int, list[int | None]] = {}  # component -> per coefficient, None = unsent
    position = 2
    while True:
        found = _NEXT_MARKER.search(content, position)
        if found is None:
            break
        marker, position = content[found.start() + 1], found.end()
        if marker == _END_OF_IMAGE:
            break
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(content[position : position + 2], "big")
        segment = content[position + 2 : position + length]
        position += max(length, 2)
        try:
            if marker in _START_OF_FRAME and precision is None:
                precision = segment[0]
                is_progressive = marker in _PROGRESSIVE_FRAMES
                for i in range(segment[5]):
                    bits_missing[segment[6 + 3 * i]] = [None] * _COEFFICIENTS
            elif marker == _START_OF_SCAN and is_progressive:
                _note_scan(segment, bits_missing)
        except (IndexError, KeyError, ValueError):
            break  # The header is damaged: the decoder gives a better error message.
    unsent = any(bit != 0 for bits in bits_missing.values() for bit in bits)
    return JpegScans(precision, complete=not (is_progressive and unsent))


def _note_scan(segment: bytes, bits_missing: dict[int, list[int | None]]) -> None:
    count = segment[0]
    first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
    for i in range(count):
        coefficients = bits_missing[segment[1 + 2 * i]]
        for k in range(first, min(last, _COEFFICIENTS - 1) + 1):
            # A refinement scan (high half not 0) counts only after the scan that it refines.
            if bits >> 4 in (0, coefficients[k]):
                coefficients[k] = bits & 0x0F
