"""Detects progressive JPEGs that lack some of their scans."""

import re
from dataclasses import dataclass

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STANDALONE = {0x01, 0xD8}
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_COEFFICIENTS = 64


@dataclass(frozen=True, slots=True)
class JpegScans:
    """Properties of a JPEG's samples, read from its markers.

    Args:
        precision_bits: Bits of one sample, 8 or 12; ``None`` without a frame header.
        complete: The scans contain every bit of every coefficient of every component. Always true
            for sequential JPEGs, because their decoder detects missing data itself.
    """

    precision_bits: int | None
    complete: bool


def read_jpeg_scans(content: bytes) -> JpegScans:
    """Read the markers of a JPEG, without decoding pixels.

    A progressive file that was cut between two scans and has an end marker decodes to a blurred
    image without an error. Only its scan headers show that data is missing.

    Args:
        content: The whole file. Bytes that are not a JPEG give ``JpegScans(None, True)``.
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
                is_progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
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
