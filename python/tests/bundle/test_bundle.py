import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sightline.bundle.bundle import Bundle
from sightline.errors import WrongUseError


def zipped(folder: Path, prefix: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


@pytest.mark.parametrize(
    "file", ["model.onnx", "weights.safetensors", "labels.txt", "golden.safetensors"]
)
def test_a_flipped_bit_in_any_file_is_refused(tiny: Bundle, file: str) -> None:
    content = bytearray((tiny.path / file).read_bytes())
    content[len(content) // 2] ^= 1
    (tiny.path / file).write_bytes(content)

    with pytest.raises(WrongUseError, match=f"BUNDLE_CORRUPT: .*'{file}' has changed"):
        tiny.read_bytes(file)


def test_a_missing_file_is_named(tiny: Bundle) -> None:
    (tiny.path / "model.onnx").unlink()

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*'model\.onnx' is missing"):
        tiny.read_bytes("model.onnx")


def test_a_link_out_of_the_folder_is_not_followed(tiny: Bundle, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes((tiny.path / "labels.txt").read_bytes())
    (tiny.path / "labels.txt").unlink()
    (tiny.path / "labels.txt").symlink_to(outside)

    with pytest.raises(WrongUseError, match=r"'labels.txt' is not a plain file inside the bundle"):
        tiny.read_bytes("labels.txt")


def test_a_named_pipe_is_not_read(tiny: Bundle) -> None:
    (tiny.path / "labels.txt").unlink()
    os.mkfifo(tiny.path / "labels.txt")

    with pytest.raises(WrongUseError, match=r"'labels.txt' is not a plain file"):
        tiny.read_bytes("labels.txt")


def test_labels_are_in_the_order_of_the_class_ids(tiny: Bundle) -> None:
    assert tiny.labels == ("cat", "dog", "fish")


@pytest.mark.parametrize("prefix", ["", "tiny/"])
def test_a_zip_is_the_same_bundle_as_its_folder(tiny: Bundle, prefix: str) -> None:
    bundle = Bundle.load(zipped(tiny.path, prefix))

    assert bundle.sha256 == tiny.sha256
    assert bundle.labels == tiny.labels
    assert bundle.read_bytes("model.onnx") == tiny.read_bytes("model.onnx")


def test_a_zip_with_names_that_climb_out_writes_nothing(tiny: Bundle, tmp_path: Path) -> None:
    path = zipped(tiny.path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../canary", "out")
    before = sorted(tmp_path.parent.rglob("*"))

    Bundle.load(path).read_bytes("model.onnx")

    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_small_zip_that_unpacks_to_a_large_file_is_refused_unread(tiny: Bundle) -> None:
    labels = tiny.path / "labels.txt"
    with labels.open("r+b") as stream:
        stream.truncate(200_000_000)
    path = tiny.path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(tiny.path.iterdir()):
            archive.write(file, file.name)
    assert path.stat().st_size < 1_000_000
    bundle = Bundle.load(path)
    tracemalloc.start()

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*'labels.txt' unpacks to 200000000"):
        bundle.read_bytes("labels.txt")

    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_zip_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a/b/model.json", "{}")

    with pytest.raises(WrongUseError, match=r"it must contain one model\.json, but contains 0"):
        Bundle.load(tmp_path / "x.zip")


def test_a_file_that_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"not a zip")

    with pytest.raises(WrongUseError, match=r"neither a folder nor a zip file"):
        Bundle.load(tmp_path / "x.zip")
