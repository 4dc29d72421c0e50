"""A decoder's memory stays within the limits, even if a file's header is incomplete."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from sightline.engine.decode import decode
from sightline.engine.settings import DEFAULT_MAX_IMAGE_PIXELS, EngineSettings
from sightline.row_error import RowError

DecodeApart = Callable[..., Any]
MEGABYTE = 2**20
# More than any small image needs, less than a tenth of a decompression bomb.
FEW_MIB = 16


def tiff(tags: dict[int, tuple[int, list[int]]], pixels: bytes, tail: bytes = b"") -> bytes:
    """A little-endian TIFF: tag -> (type, values); 273 and 324 are given the offset of pixels."""
    formats = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B"}
    entries, extra = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    where = start + sum(
        struct.calcsize(f"<{len(v)}{formats[t]}")
        for t, v in tags.values()
        if struct.calcsize(f"<{len(v)}{formats[t]}") > 4
    )
    for tag, (type_, given) in sorted(tags.items()):
        values = [where] if tag in (273, 324) else given
        packed = struct.pack(f"<{len(values)}{formats[type_]}", *values)
        if len(packed) > 4:
            inline = struct.pack("<I", start + len(extra))
            extra += packed
        else:
            inline = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, type_, len(values)) + inline
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return head + entries + struct.pack("<I", 0) + extra + pixels + tail


def tiled(side: int, tile: int, compressed: bytes) -> dict[int, tuple[int, list[int]]]:
    """Tags of a grey image of side x side in one tile, compressed by deflate."""
    return {
        256: (4, [side]),
        257: (4, [side]),
        258: (3, [8]),
        259: (3, [8]),
        262: (3, [1]),
        277: (3, [1]),
        322: (4, [tile]),
        323: (4, [tile]),
        324: (4, [0]),
        325: (4, [len(compressed)]),
    }


def png_with(*chunks: tuple[bytes, bytes], colour: str = "red") -> bytes:
    """A PNG of 12 x 10 pixels with extra chunks after its header."""
    buffer = io.BytesIO()
    Image.new("RGB", (12, 10), colour).save(buffer, "PNG")
    plain = buffer.getvalue()
    inner = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return plain[:33] + inner + plain[33:]


def code_of(content: bytes, max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> str:
    found = decode(content, EngineSettings(max_image_pixels=max_image_pixels))
    assert isinstance(found, RowError), "an image was made of it"
    return found.code


def test_a_tiff_whose_one_tile_is_far_larger_than_its_image_is_too_large_and_costs_nothing(
    decode_apart: DecodeApart,
) -> None:
    tile = zlib.compress(bytes(12_000 * 12_000), 1)
    content = tiff(tiled(16, 12_000, tile), tile)
    assert len(content) < 2 * MEGABYTE

    code, message, added = decode_apart(content, max_image_pixels=1000)

    assert (code, message) == (
        "TOO_LARGE",
        "Tiles of 12000 x 12000 = 144000000 pixels; the cap is 1000.",
    )
    assert added < FEW_MIB
    # Also with the default limit of 100 megapixels.
    assert decode_apart(content)[0] == "TOO_LARGE"


def test_a_tiff_in_tiles_that_reach_over_its_edges_is_an_image() -> None:
    tile = zlib.compress(bytes([200]) * 256 * 256)
    found = decode(tiff(tiled(20, 256, tile), tile), EngineSettings())
    assert isinstance(found, Image.Image)
    assert (found.size, found.getpixel((19, 19))) == ((20, 20), (200, 200, 200))


def test_a_tiff_that_names_its_tile_twice_is_corrupt_since_libraries_differ_on_which_counts() -> (
    None
):
    tile = zlib.compress(bytes(64 * 64))
    tags = tiled(16, 64, tile)
    content = bytearray(tiff({**tags, 339: (3, [1])}, tile))
    at = content.index(struct.pack("<HHI", 339, 3, 1))
    content[at : at + 12] = struct.pack("<HHII", 322, 4, 1, 26_736)
    assert code_of(bytes(content)) == "CORRUPT"


@pytest.mark.timeout(60)
def test_a_tiff_whose_directory_points_to_itself_thousands_of_times_is_read_at_once() -> None:
    # Followed three levels deep, the 3,000 pointers would be 27 thousand million tags.
    tile = zlib.compress(bytes([200]) * 256)
    plain = tiff(tiled(16, 16, tile), b"")
    count = struct.unpack_from("<H", plain, 8)[0]
    tags = bytearray(plain[10 : 10 + 12 * count])
    pointers = struct.pack("<HHII", 34665, 4, 1, 8) * 3000  # EXIF: the directory at 8, this one
    at = tags.index(struct.pack("<HHI", 324, 4, 1)) + 8
    tags[at : at + 4] = struct.pack("<I", len(plain) + len(pointers))
    head = struct.pack("<2sHIH", b"II", 42, 8, count + 3000)

    found = decode(head + tags + pointers + plain[10 + 12 * count :] + tile, EngineSettings())

    assert isinstance(found, Image.Image)
    assert (found.size, found.getpixel((15, 15))) == ((16, 16), (200, 200, 200))


@pytest.mark.parametrize("directory", ["first", "exif"])
def test_a_tag_of_millions_of_numbers_is_too_large_and_none_becomes_a_python_object(
    directory: str, decode_apart: DecodeApart
) -> None:
    pixels, many = bytes(16 * 16), 8_000_000
    tags = {256: (4, [16]), 257: (4, [16]), 258: (3, [8]), 262: (3, [1]), 273: (4, [0])}
    tags |= {277: (3, [1]), 278: (4, [16]), 279: (4, [256])}
    plain = tiff({**tags, 339: (3, [1]), 34665: (4, [0])}, pixels)
    content = bytearray(plain)
    numbers = len(plain)
    if directory == "first":  # BitsPerSample, which Pillow reads when it opens the file
        at = content.index(struct.pack("<HHI", 258, 3, 1))
        content[at : at + 12] = struct.pack("<HHII", 258, 3, many, numbers)
        content += os.urandom(1) * 2 * many
    else:
        at = content.index(struct.pack("<HHI", 34665, 4, 1))
        content[at : at + 12] = struct.pack("<HHII", 34665, 4, 1, numbers)
        content += struct.pack("<HHHIII", 1, 37500, 3, many, numbers + 18, 0)
        content += b"\x01\x80" * many

    code, message, added = decode_apart(bytes(content))

    assert code == "TOO_LARGE"
    assert "8000000 values; the cap is 1048576" in message
    assert added < 3 * FEW_MIB  # the file itself has 16 MB


@pytest.mark.parametrize("kind", ["VP8X", "VP8L"])
def test_a_webp_is_too_large_by_its_canvas_before_that_is_allocated(
    kind: str, decode_apart: DecodeApart
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, "WEBP", lossless=True)
    chunk = buffer.getvalue()[12:]
    if kind == "VP8X":
        size = (16_000 - 1).to_bytes(3, "little")
        body = b"VP8X" + struct.pack("<II", 10, 0) + size + size + chunk
    else:
        bits = int.from_bytes(chunk[9:13], "little")
        grown = (bits & ~0xFFFFFFF) | (16_000 - 1) | (16_000 - 1) << 14
        body = chunk[:9] + struct.pack("<I", grown) + chunk[13:]
    content = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body

    code, message, added = decode_apart(content)

    assert code == "TOO_LARGE"
    assert message == "16000 x 16000 = 256000000 pixels; the cap is 100000000."
    assert added < FEW_MIB


def test_a_gif_whose_frame_is_larger_than_its_screen_is_too_large_by_its_frame() -> None:
    buffer = io.BytesIO()
    Image.new("P", (40, 40)).save(buffer, "GIF")
    content = bytearray(buffer.getvalue())
    content[6:10] = struct.pack("<HH", 8, 8)
    assert code_of(bytes(content), max_image_pixels=1000) == "TOO_LARGE"


def test_a_jpeg_of_hundreds_of_scans_is_too_large() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    first = content.index(b"\xff\xda")
    second = content.index(b"\xff\xda", first + 2)
    again = content[:second] + content[first:second] * 200 + content[second:]
    found = decode(again, EngineSettings())
    assert isinstance(found, RowError)
    assert found.code == "TOO_LARGE"
    assert "scans; the cap is 100." in found.message


@pytest.mark.parametrize("text", ["compressed", "plain", "international", "many"])
def test_a_png_with_megabytes_of_text_is_read_as_if_it_had_none(
    text: str, decode_apart: DecodeApart
) -> None:
    long = b"It was a dark night. " * 150_000  # 3 MB
    chunks = {
        "compressed": [(b"zTXt", b"Story\0\0" + zlib.compress(long))],
        "plain": [(b"tEXt", b"Story\0" + long)],
        "international": [(b"iTXt", b"Story\0\1\0en\0\0" + zlib.compress(long))],
        "many": [(b"zTXt", b"Story%d\0\0" % n + zlib.compress(bytes(10**6))) for n in range(100)],
    }[text]

    size, _, added = decode_apart(png_with(*chunks))

    assert size == [12, 10]
    assert added < FEW_MIB
    found = decode(png_with(*chunks), EngineSettings())
    assert isinstance(found, Image.Image)
    assert found.getpixel((3, 3)) == (255, 0, 0)


def test_a_text_chunk_with_the_name_of_a_pillow_setting_is_ignored() -> None:
    chunks = [(b"tEXt", b"transparency\0yes"), (b"tEXt", b"icc_profile\0none")]
    found = decode(png_with(*chunks), EngineSettings())
    assert isinstance(found, Image.Image)
    assert found.getpixel((3, 3)) == (255, 0, 0)


def test_the_orientation_in_a_text_is_kept_among_texts_that_are_left_out() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    chunks = [
        (b"zTXt", b"Story\0\0" + zlib.compress(bytes(3 * MEGABYTE))),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    ]
    found = decode(png_with(*chunks), EngineSettings())
    assert isinstance(found, Image.Image)
    assert found.size == (10, 12)


@pytest.mark.parametrize(
    "profile",
    [
        b"big\0\0" + zlib.compress(bytes(50 * MEGABYTE)),
        b"odd\0\7" + zlib.compress(b"profile"),
        b"cut\0\0" + zlib.compress(b"profile")[:4],
        b"",
    ],
)
def test_a_png_whose_profile_cannot_be_read_is_read_without_it(
    profile: bytes, decode_apart: DecodeApart
) -> None:
    size, _, added = decode_apart(png_with((b"iCCP", profile)))
    assert size == [12, 10]
    assert added < FEW_MIB


def test_a_valid_file_that_pillow_cannot_read_is_unsupported() -> None:
    pixels = bytes(16 * 16 * 8)
    tags = {256: (4, [16]), 257: (4, [16]), 262: (3, [1]), 273: (4, [0]), 277: (3, [1])}
    tags |= {278: (4, [16]), 279: (4, [len(pixels)])}
    assert code_of(tiff({**tags, 258: (3, [64]), 339: (3, [3])}, pixels)) == "UNSUPPORTED"
    assert code_of(tiff({**tags, 258: (3, [8]), 259: (3, [40_000])}, pixels)) == "UNSUPPORTED"
    bmp = bytearray(b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 4, 4, 1, 7, 0) + bytes(120))
    assert code_of(bytes(bmp)) == "UNSUPPORTED"


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_running_out_of_memory_is_not_an_error_of_the_image(
    format_: str, options: dict[str, object], decode_apart: DecodeApart
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (6000, 6000), "red").save(buffer, format_, **options)  # 144 MB of pixels

    found = decode_apart(buffer.getvalue(), spare_mib=[50, 100, 150, 200, 300, 400, 600, 1000])

    assert found[0] == "MemoryError"
    assert found[-1] == [6000, 6000]
    assert [code for code in found if code not in ("MemoryError", [6000, 6000])] == []


def test_pillows_pixel_limit_is_neither_used_nor_changed() -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 9_500)).save(buffer, "PNG")  # Pillow refuses 179 megapixels
    cut = buffer.getvalue()[:60]
    before = Image.MAX_IMAGE_PIXELS
    assert before is not None
    assert code_of(cut, max_image_pixels=200_000_000) == "TRUNCATED"
    assert code_of(cut, max_image_pixels=100_000_000) == "TOO_LARGE"
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_png_with_a_large_text_from_pillow_is_read() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * (3 * MEGABYTE), zip=True)
    buffer = io.BytesIO()
    noise(9, 7).save(buffer, "PNG", pnginfo=info)
    found = decode(buffer.getvalue(), EngineSettings())
    assert isinstance(found, Image.Image)
    assert np.array_equal(np.asarray(found), np.asarray(noise(9, 7)))


def test_bytes_after_the_end_of_a_png_are_not_read_as_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chunks: list[int] = []
    unpack = struct.unpack_from

    def count(form: str, encoded: bytes, position: int) -> tuple[Any, ...]:
        chunks.append(position)
        return unpack(form, encoded, position)

    monkeypatch.setattr("sightline.engine.decode.struct.unpack_from", count)
    image = decode(memoryview(png_with() + bytes(120_000)), EngineSettings())
    assert isinstance(image, Image.Image)
    assert image.getpixel((0, 0)) == (255, 0, 0)
    assert 3 <= len(chunks) <= 10
