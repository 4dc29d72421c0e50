import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from sightline.backends.device import Device
from sightline.backends.onnx import BACKEND, open_graph
from sightline.bundle.bundle import Bundle
from sightline.errors import SightlineError, WrongUseError


def with_graph(bundle: Bundle, folder: Path, graph: bytes) -> Bundle:
    """The bundle with another graph and that graph's hash."""
    (folder / "model.onnx").write_bytes(graph)
    files = {**bundle.manifest.files, "model.onnx": hashlib.sha256(graph).hexdigest()}
    manifest = replace(bundle.manifest, files=files)
    (folder / "model.json").write_bytes(manifest.to_json())
    return Bundle.load(folder)


@pytest.mark.parametrize("location", ["axes.bin", "../axes.bin", "/etc/passwd"])
def test_a_graph_with_weights_in_another_file_is_refused_even_if_the_file_exists(
    colour_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    model = onnx.load(colour_bundle / "model.onnx")
    axes = next(one for one in model.graph.initializer if one.name == "axes")
    axes.ClearField("int64_data")
    axes.data_location = onnx.TensorProto.EXTERNAL
    axes.external_data.add(key="location", value=location)
    axes.external_data.add(key="length", value="16")
    work = tmp_path / "work"
    work.mkdir()
    for folder in (work, tmp_path):
        (folder / "axes.bin").write_bytes(np.array([1, 2], np.int64).tobytes())
    monkeypatch.chdir(work)
    bundle = with_graph(Bundle.load(colour_bundle), tmp_path, model.SerializeToString())

    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: .*rejects 'model\.onnx'") as error:
        BACKEND.open(bundle, Device("cpu"), 1)

    # The error is ours, because some supported versions of onnxruntime open the absolute path.
    assert "rejects 'model.onnx': it stores weights in another file" in str(error.value)


def test_a_file_that_is_not_onnx_is_refused(colour_bundle: Path, tmp_path: Path) -> None:
    bundle = with_graph(Bundle.load(colour_bundle), tmp_path, b"rubbish")

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*rejects 'model\.onnx'"):
        BACKEND.open(bundle, Device("cpu"), 1)


def test_the_session_has_the_given_number_of_threads_and_they_do_not_spin(
    colour_bundle: Path,
) -> None:
    graph = (colour_bundle / "model.onnx").read_bytes()

    options = open_graph(graph, Device("cpu"), 2).get_session_options()

    assert options.intra_op_num_threads == 2
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="this onnxruntime has CUDA"
)
@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
def test_onnxruntime_falling_back_to_the_cpu_is_an_error(colour_bundle: Path) -> None:
    graph = (colour_bundle / "model.onnx").read_bytes()

    with pytest.raises(SightlineError, match=r"^DEVICE_UNAVAILABLE: cuda:0 was requested"):
        open_graph(graph, Device("cuda"), 1)
