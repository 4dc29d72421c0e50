from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from harness.inputs import ImageSet, prepare_inputs
from harness.made_images import make_crops, make_small_copies, sort_photographs


def image_set(folder: Path, name: str, contents: str) -> ImageSet:
    files = []
    for at, letter in enumerate(contents):
        files.append(folder / f"{name}{at}.jpg")
        files[-1].write_text(letter)
    return ImageSet(name, name, 1.0, tuple(files))


def test_inputs_have_the_same_images_in_each_form(tmp_path: Path) -> None:
    letters = image_set(tmp_path, "", "abc")
    inputs = prepare_inputs([letters], [10], tmp_path / "in")
    files = sorted(inputs.folder.iterdir())
    assert [file.read_text() for file in files] == list("abcabcabca")
    packed = ds.dataset(inputs.packed).to_table()
    assert packed.column("content").to_pylist() == [file.read_bytes() for file in files]
    assert packed.column("path").to_pylist() == [str(file) for file in files]
    assert ds.dataset(inputs.paths).to_table().column("path").to_pylist() == [*map(str, files)]
    assert prepare_inputs([letters], [10], tmp_path / "in") == inputs


def test_the_images_of_several_sets_are_mixed_evenly(tmp_path: Path) -> None:
    sets = [image_set(tmp_path, "base-", "abcd"), image_set(tmp_path, "other-", "xy")]
    inputs = prepare_inputs(sets, [4, 2], tmp_path / "in")
    packed = ds.dataset(inputs.packed).to_table()
    assert packed.column("relative_path").to_pylist() == [
        "base-000000.jpg",
        "other-000000.jpg",
        "base-000001.jpg",
        "base-000002.jpg",
        "other-000001.jpg",
        "base-000003.jpg",
    ]
    assert packed.column("content").to_pylist() == [b"a", b"x", b"b", b"c", b"y", b"d"]


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """A landscape and a portrait with other pixels at each place."""
    files = []
    for name, (width, height) in (("wide", (3088, 2056)), ("tall", (2056, 3088))):
        rows, columns = np.mgrid[0:height, 0:width]
        pixels = np.stack([rows % 251, columns % 251, (rows + columns) % 251], axis=2)
        files.append(tmp_path / f"{name}.jpg")
        Image.fromarray(pixels.astype(np.uint8)).save(files[-1], progressive=name == "tall")
    return files


def test_crops_are_written_as_cameras_write_photographs(
    photographs: list[Path], tmp_path: Path
) -> None:
    crops = make_crops(photographs, 6, tmp_path / "crops")
    contents = [crop.read_bytes() for crop in crops]
    assert len(set(contents)) == 6
    for crop in crops:
        with Image.open(crop) as image:
            assert 3.1e6 <= image.width * image.height <= 4.0e6
            assert isinstance(image, JpegImageFile)
            assert "progressive" not in image.info
            assert image.layer[0][1:3] == (2, 2)  # twice the samples of each chroma: 4:2:0
            assert image.layer[1][1:3] == (1, 1)
    assert make_crops(photographs, 6, tmp_path / "again")[5].read_bytes() == contents[5]


def test_small_copies_have_the_usual_size_in_imagenet(
    photographs: list[Path], tmp_path: Path
) -> None:
    copies = make_small_copies(photographs, 3, tmp_path / "small")
    for copy in copies:
        with Image.open(copy) as image:
            assert image.size == (500, 375)
    assert len({copy.read_bytes() for copy in copies}) == 3


def test_photographs_are_sorted_by_the_kind_of_their_stream(photographs: list[Path]) -> None:
    found = sort_photographs(photographs[0].parent)
    assert ([file.name for file in found.baseline], [file.name for file in found.progressive]) == (
        ["wide.jpg"],
        ["tall.jpg"],
    )
