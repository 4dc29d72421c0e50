"""Removes text chunks from a PNG, because Pillow refuses an image whose texts are too large."""

from __future__ import annotations

import struct
import zlib

# Pillow refuses the whole image if a text or profile inflates to more than this.
_MOST_INFLATED_BYTES = 2**20
_SIGNATURE_BYTES = 8
_FRAME_BYTES = 12  # length, name and checksum of a chunk
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILE = b"iCCP"
# Texts that may hold the orientation: XMP, and EXIF as ImageMagick writes it.
_ORIENTATION = (b"XML:com.adobe.xmp", b"Raw profile type exif")


def strip_png(encoded: bytes) -> bytes:
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
