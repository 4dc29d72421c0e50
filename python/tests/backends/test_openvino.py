import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from sightline.backends.device import Device, resolve_device
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import read_golden
from sightline.errors import SightlineError, WrongUseError

pytest.importorskip("openvino", reason="the extra openvino is not installed")

from sightline.backends.openvino import BACKEND


def with_graph(bundle: Bundle, folder: Path, graph: bytes) -> Bundle:
    """The bundle with another graph and that graph's hash."""
    (folder / "model.onnx").write_bytes(graph)
    files = {**bundle.manifest.files, "model.onnx": hashlib.sha256(graph).hexdigest()}
    (folder / "model.json").write_bytes(replace(bundle.manifest, files=files).to_json())
    return Bundle.load(folder)


def test_the_outputs_are_equal_to_those_of_the_source_model(colour_bundle: Path) -> None:
    inputs, expected = read_golden(Bundle.load(colour_bundle))

    found = BACKEND.open(Bundle.load(colour_bundle), Device("cpu"), 1).run(inputs, ["logits"])

    assert found["logits"].dtype == np.float32
    assert found["logits"] == pytest.approx(expected["logits"], abs=1e-4)


def test_the_session_uses_fp32_and_one_thread(colour_bundle: Path) -> None:
    session = BACKEND.open(Bundle.load(colour_bundle), Device("cpu"), 1)

    compiled = session.idle["logits",][0].get_compiled_model()

    assert "float32" in str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert compiled.get_property("NUM_STREAMS") == 1


def test_concurrent_threads_get_their_own_results(colour_bundle: Path) -> None:
    session = BACKEND.open(Bundle.load(colour_bundle), Device("cpu"), 1)
    batches = [np.full((2, 8, 8, 3), value, np.uint8) for value in range(64)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: session.run({"images": one}, ["logits"]), batches))

    for value, output in enumerate(found):
        assert output["logits"] == pytest.approx(np.full((2, 3), value / 25.5), abs=1e-4)
    assert len(session.idle["logits",]) <= 4


def test_concurrent_threads_can_request_different_outputs(means_bundle: Path) -> None:
    session = BACKEND.open(Bundle.load(means_bundle), Device("cpu"), 1)
    wanted = [["logits"], ["means"], ["logits", "means"], []]

    def run(value: int) -> set[str]:
        images = np.full((2, 8, 8, 3), value, np.uint8)
        found = session.run({"images": images}, wanted[value % 4])
        for name, divisor in (("logits", 51), ("means", 1)):
            if name in found:
                assert found[name] == pytest.approx(np.full((2, 3), value / divisor), abs=1e-3)
        return set(found)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(64)))

    assert found == [set(wanted[value % 4]) for value in range(64)]


@pytest.mark.parametrize("location", ["axes.bin", "../axes.bin"])
def test_a_graph_with_weights_in_another_file_is_refused_even_if_the_file_exists(
    colour_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    model = onnx.load(colour_bundle / "model.onnx")
    axes = next(one for one in model.graph.initializer if one.name == "axes")
    axes.ClearField("int64_data")
    axes.data_location = onnx.TensorProto.EXTERNAL
    axes.external_data.add(key="location", value=location)
    work = tmp_path / "work"
    work.mkdir()
    for folder in (work, tmp_path):
        (folder / "axes.bin").write_bytes(np.array([1, 2], np.int64).tobytes())
    monkeypatch.chdir(work)
    bundle = with_graph(Bundle.load(colour_bundle), tmp_path, model.SerializeToString())

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .* weights in another file"):
        BACKEND.open(bundle, Device("cpu"), 1)


def test_a_file_that_is_not_onnx_is_refused(colour_bundle: Path, tmp_path: Path) -> None:
    bundle = with_graph(Bundle.load(colour_bundle), tmp_path, b"rubbish")

    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*rejects 'model\.onnx'"):
        BACKEND.open(bundle, Device("cpu"), 1)


def test_it_runs_on_the_cpu_only(colour_bundle: Path) -> None:
    assert resolve_device("auto", "openvino", ["1"]) == Device("cpu")
    with pytest.raises(SightlineError, match=r"DEVICE_UNAVAILABLE: CUDA .*it runs on the CPU only"):
        resolve_device("cuda", "openvino", None)
    with pytest.raises(SightlineError, match=r"DEVICE_UNAVAILABLE: cuda:1 .* another backend"):
        BACKEND.open(Bundle.load(colour_bundle), Device("cuda", 1), 1)


def test_its_worker_imports_no_other_runtime_prints_nothing_and_opens_no_connection(
    colour_bundle: Path,
) -> None:
    code = f"""
import sys
def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(event)
sys.addaudithook(refuse)
import numpy as np
from sightline.backends.device import Device
from sightline.backends.openvino import BACKEND
from sightline.bundle.bundle import Bundle
session = BACKEND.open(Bundle.load({str(colour_bundle)!r}), Device("cpu"), 1)
session.run({{"images": np.zeros((1, 8, 8, 3), np.uint8)}}, ["logits"])
unwanted = {{"torch", "onnxruntime", "onnx", "pandas", "openvino_telemetry.main"}}
raise SystemExit(" ".join(unwanted & sys.modules.keys()))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.stdout, done.stderr.strip()) == ("", "")
