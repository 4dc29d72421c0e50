from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from sightline.bundle.golden import golden_images
from sightline.bundle.image_settings import Preprocessing, Size
from sightline.bundle.outputs import decide_activation
from sightline.bundle.read_onnx import read_onnx
from sightline.bundle.source_model import SourceModel
from sightline.errors import WrongUseError

from .graphs import CLASSES, HEIGHT, WIDTH, by_hand, linear

IMAGES = golden_images(Size(HEIGHT, WIDTH))


def read(path: Path, preprocessing: Preprocessing, labels: int = CLASSES) -> SourceModel:
    return read_onnx(path, preprocessing, labels, IMAGES)


def run(material: SourceModel, images: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(material.onnx)
    (answer,) = session.run([material.scores], {session.get_inputs()[0].name: images})
    found: np.ndarray = answer
    return found


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    ("dtype", "close"), [("float32", 1e-5), ("float64", 1e-5), ("float16", 5e-3)]
)
def test_the_folded_graph_equals_normalising_by_hand(
    tmp_path: Path, preprocessing: Preprocessing, layout: str, dtype: str, close: float
) -> None:
    how = preprocessing
    material = read(linear(tmp_path / "x.onnx", layout, dtype), how)

    found = run(material, IMAGES)

    assert found.dtype == np.float32
    assert np.abs(found - by_hand(IMAGES, how.mean, how.std, dtype)).max() < close


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_graph_with_pixel_input_keeps_its_normalisation(
    tmp_path: Path, preprocessing: Preprocessing, layout: str
) -> None:
    material = read(linear(tmp_path / "x.onnx", layout, "uint8"), preprocessing)

    unit = (1 / 255, 1 / 255, 1 / 255)
    assert run(material, IMAGES) == pytest.approx(by_hand(IMAGES, (0, 0, 0), unit), abs=1e-3)


@pytest.mark.parametrize("name", ["images", "pixels", "x"])
def test_the_input_may_have_any_name(
    tmp_path: Path, preprocessing: Preprocessing, name: str
) -> None:
    material = read(linear(tmp_path / "x.onnx", name=name), preprocessing)

    assert run(material, IMAGES).shape == (4, CLASSES)


@pytest.mark.parametrize("reshape", ["", "free"])
def test_a_fixed_batch_size_of_one_becomes_variable(
    tmp_path: Path, preprocessing: Preprocessing, reshape: str
) -> None:
    how = preprocessing
    material = read(linear(tmp_path / "x.onnx", batch=1, reshape=reshape), how)

    for rows in (1, 4):
        expected = by_hand(IMAGES[:rows], how.mean, how.std)
        assert run(material, IMAGES[:rows]) == pytest.approx(expected, abs=1e-5)


def test_a_batch_size_that_cannot_become_variable_is_refused(
    tmp_path: Path, preprocessing: Preprocessing
) -> None:
    path = linear(tmp_path / "x.onnx", batch=1, reshape="sealed")

    with pytest.raises(WrongUseError, match=r"^FIXED_BATCH: .*made for batches of 1"):
        read(path, preprocessing)


def test_the_weights_are_counted(tmp_path: Path, preprocessing: Preprocessing) -> None:
    assert read(linear(tmp_path / "x.onnx"), preprocessing).parameters == 3 * CLASSES


def test_probabilities_are_recognised(tmp_path: Path, preprocessing: Preprocessing) -> None:
    logits = read(linear(tmp_path / "x.onnx"), preprocessing)
    probabilities = read(linear(tmp_path / "y.onnx", ending="Softmax"), preprocessing)

    assert decide_activation(logits.reference[logits.scores], "auto", "x") == "softmax"
    assert decide_activation(probabilities.reference[logits.scores], "auto", "x") == "none"


def test_notes_of_the_exporting_machine_are_removed(
    tmp_path: Path, preprocessing: Preprocessing
) -> None:
    model = onnx.load(linear(tmp_path / "x.onnx"))
    model.graph.node[0].doc_string = "/home/somebody/train.py"
    model.graph.node[0].metadata_props.add(key="stack", value="/home/somebody/net.py")
    onnx.save(model, tmp_path / "y.onnx")

    assert b"somebody" not in (read(tmp_path / "y.onnx", preprocessing).onnx or b"")


def test_a_wrong_number_of_labels_is_refused(tmp_path: Path, preprocessing: Preprocessing) -> None:
    path = linear(tmp_path / "x.onnx")

    with pytest.raises(
        WrongUseError, match=r"LABEL_COUNT_MISMATCH: there are 5 labels, .*\(n, 3\)"
    ):
        read(path, preprocessing, labels=5)


@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "../../secret"])
def test_external_data_is_refused_and_named(
    tmp_path: Path, preprocessing: Preprocessing, location: str
) -> None:
    model = onnx.load(linear(tmp_path / "x.onnx"))
    weight = next(one for one in model.graph.initializer if one.name == "weight")
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    (tmp_path / "y.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(WrongUseError, match=r"^ONNX_EXTERNAL_DATA: ") as error:
        read(tmp_path / "y.onnx", preprocessing)

    assert location in str(error.value)


def test_a_link_is_refused(tmp_path: Path, preprocessing: Preprocessing) -> None:
    (tmp_path / "link.onnx").symlink_to(linear(tmp_path / "x.onnx"))

    with pytest.raises(WrongUseError, match=r"BAD_ONNX: .*symbolic link"):
        read(tmp_path / "link.onnx", preprocessing)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x08\x07"])
def test_a_file_that_is_not_onnx_is_refused(
    tmp_path: Path, preprocessing: Preprocessing, content: bytes
) -> None:
    (tmp_path / "x.onnx").write_bytes(content)

    with pytest.raises(WrongUseError, match=r"^BAD_ONNX: "):
        read(tmp_path / "x.onnx", preprocessing)


def test_another_image_size_is_refused(tmp_path: Path, preprocessing: Preprocessing) -> None:
    from dataclasses import replace

    path = linear(tmp_path / "x.onnx")

    with pytest.raises(WrongUseError, match=r"its images are \(16, 12\) .* give \(12, 16\)"):
        read(path, replace(preprocessing, crop=Size(12, 16)))
