"""Statements of docs/images.md without another test: numbers, codes, rare kinds of files."""

import io
import re
import struct
import zlib
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import ExifTags, Image

from sightline.backends import cache
from sightline.engine import batch_loop, batches, colours, image_header, read_ahead
from sightline.engine.decode import decode
from sightline.engine.feeds import image_feed
from sightline.engine.image_header import FORMATS
from sightline.engine.settings import EngineSettings
from sightline.row_error import ErrorCode, RowError
from sightline.source import read_images

PAGE = Path(__file__).parents[3] / "docs" / "images.md"
MEBIBYTE = 2**20


def row(text: str) -> str:
    """The line of the page's tables that begins with `text`."""
    (found,) = (line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(text))
    return found


def pixels_of(content: bytes) -> np.ndarray:
    found = decode(content, EngineSettings())
    assert isinstance(found, Image.Image), found
    return np.asarray(found)


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    spec = EngineSettings()
    assert spec.max_image_bytes == 64 * MEBIBYTE
    assert "64 MiB" in row("| bytes of the file")
    assert spec.max_image_pixels == 100_000_000
    assert "100 megapixels" in row("| pixels: width")
    assert f"{image_header._MOST_TAG_VALUES:,} |" in row("| numbers in one tag")
    assert f"| {image_header._MOST_SCANS} |" in row("| scans of a JPEG")
    assert Image.MAX_IMAGE_PIXELS is not None
    assert f"{2 * Image.MAX_IMAGE_PIXELS // 10**6 + 1} megapixels" in row("| pixels of a TIFF")
    assert f"{read_ahead.READ_AHEAD_BYTES // MEBIBYTE} MiB read ahead" in row("| encoded images")
    assert batches.BATCH_BYTES == 8 * MEBIBYTE
    assert "8 MiB for each worker thread and one more" in row("| encoded images")
    assert "or as many as have 8 MiB" in row("| images in one model")
    assert f"{image_feed.DECODED_BYTES // MEBIBYTE} MiB" in row("| pixels that all worker threads")
    assert f"of {read_images.READ_BYTES // MEBIBYTE} MiB" in row("| record batches")
    assert f"{batch_loop.QUEUED_BYTES // MEBIBYTE} MiB" in row("| other columns and results")
    assert cache.MAX_IDLE_BYTES == 2048 * MEBIBYTE
    models = row("| unused models that stay loaded")
    assert f"{cache.MAX_IDLE_SESSIONS - 1} besides" in models
    assert "2 GiB of files" in models
    page = PAGE.read_text("utf-8")
    assert f"larger than {colours._MOST_PROFILE_BYTES // MEBIBYTE} MiB" in page
    probes = colours._probe("RGB").width
    assert f"none of {probes} test colours by more than {colours._SRGB_TOLERANCE} of 255" in page
    assert f"the last {colours._PROFILES_KEPT} profiles" in page


def test_the_codes_of_the_page_are_those_of_the_row_contract() -> None:
    section = PAGE.read_text("utf-8").split("## Error codes")[1].split("A machine that")[0]
    codes = [
        name for line in re.findall(r"^\| (`.*?) \|", section, re.M) for name in line.split(", ")
    ]
    assert sorted(name.strip("`") for name in codes) == sorted(get_args(ErrorCode))
    formats = PAGE.read_text("utf-8").split("## Formats")[1]
    assert all(name in formats.upper() for name in FORMATS)


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def test_a_bigtiff_is_read() -> None:
    image = Image.new("RGB", (5, 4), (10, 200, 30))
    content = saved(image, "TIFF", big_tiff=True)
    assert content[2] == ord("+")
    assert (pixels_of(content) == (10, 200, 30)).all()
    limits = EngineSettings(max_image_pixels=19)
    found = decode(content, limits)
    assert isinstance(found, RowError)
    assert found.code == "TOO_LARGE"


def test_only_the_first_of_several_images_is_read() -> None:
    for format_ in ("MPO", "TIFF"):
        # New images each time, because saving changes an image and the next format fails on it.
        first, second = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
        content = saved(first, format_, save_all=True, append_images=[second])
        assert pixels_of(content)[8, 8].tolist() == pytest.approx([255, 0, 0], abs=2)


def test_16_bit_colours_keep_their_high_byte() -> None:
    samples = np.array([[[0x12FF, 0x8000, 0x00FF]]], ">u2")

    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    content += chunk(b"IDAT", zlib.compress(b"\0" + samples.tobytes())) + chunk(b"IEND", b"")
    assert pixels_of(content).tolist() == [[[0x12, 0x80, 0x00]]]


@pytest.mark.parametrize("mode", ["LAB", "I", "F"])
def test_values_without_an_agreed_meaning_as_8_bits_are_unsupported(mode: str) -> None:
    found = decode(saved(Image.new(mode, (4, 4)), "TIFF"), EngineSettings())
    assert isinstance(found, RowError)
    assert found.code == "UNSUPPORTED"


@pytest.mark.parametrize(
    "start",
    [
        b"\0\0\0\x1cftypavif",
        b"\0\0\0\x1cftypheic",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"<svg",
        b"%PDF-1.7",
    ],
)
def test_other_formats_are_unsupported(start: bytes) -> None:
    found = decode(start + bytes(100), EngineSettings())
    assert isinstance(found, RowError)
    assert found.code == "UNSUPPORTED"


def test_damaged_exif_and_the_colour_space_in_exif_are_ignored() -> None:
    image = Image.new("RGB", (8, 4), (200, 60, 50))
    plain = pixels_of(saved(image, "JPEG"))
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"):
        assert np.array_equal(pixels_of(saved(image, "JPEG", exif=exif)), plain)
    named = Image.Exif()
    named[ExifTags.Base.ColorSpace] = 65535
    named.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 65535
    assert np.array_equal(pixels_of(saved(image, "JPEG", exif=named)), plain)


def test_one_bit_and_grey_are_rgb_and_a_transparent_grey_is_laid_on_white() -> None:
    bits = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    for format_ in ("PNG", "TIFF", "BMP", "GIF"):
        assert pixels_of(saved(bits, format_)).tolist() == [[[0, 0, 0], [255, 255, 255]]]
    grey = Image.fromarray(np.array([[7, 90]], np.uint8))
    assert pixels_of(saved(grey, "PNG", transparency=7)).tolist() == [[[255] * 3, [90] * 3]]
