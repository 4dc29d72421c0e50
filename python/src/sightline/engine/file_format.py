"""Detects an image file's format from its first bytes."""

from __future__ import annotations

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


def file_format(encoded: bytes) -> str | None:
    """Return one of `FORMATS`, or None. The file's name and extension are not used."""
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
        return "WEBP"
    return next((name for start, name in _SIGNATURES.items() if encoded.startswith(start)), None)
