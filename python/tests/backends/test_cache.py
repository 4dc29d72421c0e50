import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from sightline.backends import cache
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.backends.registry import find_backend, known_backends
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import WrongUseError


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_sessions", {})


def test_a_model_is_loaded_once_and_the_load_is_reported_on_stderr(
    colour_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Bundle.load(colour_bundle)

    first, second = (open_session(bundle, "onnx", Device("cpu"), 1) for _ in range(2))

    assert first.session is second.session
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sightline: loaded colour (onnx, cpu, sha256 {bundle.sha256[:12]}) in")


def test_a_moved_bundle_is_the_same_model(colour_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(colour_bundle, tmp_path / "moved")

    sessions = [
        open_session(Bundle.load(path), "onnx", Device("cpu"), 1)
        for path in (colour_bundle, tmp_path / "moved")
    ]

    assert sessions[0].session is sessions[1].session


def test_another_gpu_or_precision_is_another_session_and_that_of_another_gpu_is_let_go(
    colour_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    class Recorder:
        def open(
            self,
            bundle: Bundle,
            device: Device,
            threads: int,
            *,
            precision: Precision,
            allow_code: bool,
        ) -> object:
            assert not allow_code
            opened.append((str(device), threads, precision))
            return object()

    monkeypatch.setattr(cache, "find_backend", lambda _: Recorder())
    bundle = Bundle.load(colour_bundle)

    for index in (0, 1, 0):
        open_session(bundle, "onnx", Device("cuda", index), 2)
    open_session(bundle, "onnx", Device("cuda", 1), 2, precision="int8")

    assert opened == [
        ("cuda:0", 2, "fp32"),
        ("cuda:1", 2, "fp32"),
        ("cuda:0", 2, "fp32"),
        ("cuda:1", 2, "int8"),
    ]


@pytest.fixture
def versions(colour_bundle: Path, tmp_path: Path) -> list[Bundle]:
    """Eight versions of one model: bundles with different licences."""
    folders = [tmp_path / f"version-{number}" for number in range(8)]
    for number, folder in enumerate(folders):
        shutil.copytree(colour_bundle, folder)
        manifest = (folder / "model.json").read_text()
        (folder / "model.json").write_text(manifest.replace('"MIT"', f'"MIT {number}"'))
    return [Bundle.load(folder) for folder in folders]


def loaded(capsys: pytest.CaptureFixture[str]) -> int:
    return capsys.readouterr().err.count("sightline: loaded colour")


def test_replaced_models_are_released_and_the_last_used_ones_are_kept(
    versions: list[Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = []
    black = np.zeros((1, 8, 8, 3), np.uint8)
    for bundle in versions:
        held = open_session(bundle, "onnx", Device("cpu"), 1)
        sessions.append(weakref.ref(held.session))
        assert held.run({"images": black}, ["logits"])["logits"].tolist() == [[0, 0, 0]]
        del held
    assert [ref() is not None for ref in sessions] == [False] * 4 + [True] * 4
    assert loaded(capsys) == 8

    for bundle in versions[4:]:
        open_session(bundle, "onnx", Device("cpu"), 1)
    assert loaded(capsys) == 0
    open_session(versions[0], "onnx", Device("cpu"), 1)
    assert loaded(capsys) == 1


def test_a_model_in_use_is_never_released(
    versions: list[Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    first = open_session(versions[0], "onnx", Device("cpu"), 1)
    for bundle in versions[1:]:
        open_session(bundle, "onnx", Device("cpu"), 1)
    assert loaded(capsys) == 8

    again = open_session(versions[0], "onnx", Device("cpu"), 1)

    assert again.session is first.session
    assert loaded(capsys) == 0


def test_unused_models_above_the_size_limit_are_released(
    versions: list[Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MAX_IDLE_BYTES", 1)
    first = weakref.ref(open_session(versions[0], "onnx", Device("cpu"), 1).session)
    assert first() is not None
    open_session(versions[1], "onnx", Device("cpu"), 1)
    assert first() is None


def test_the_error_for_a_missing_variant_lists_the_existing_ones(colour_bundle: Path) -> None:
    with pytest.raises(WrongUseError, match=r"NO_VARIANT: .*only onnx\. Use --backend onnx"):
        open_session(Bundle.load(colour_bundle), "pytorch", Device("cpu"), 1)


def test_the_error_for_an_unknown_backend_lists_the_known_ones(colour_bundle: Path) -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_BACKEND: 'jax'\. Known: onnx, pytorch"):
        open_session(Bundle.load(colour_bundle), "jax", Device("cpu"), 1)


@pytest.mark.parametrize(("name", "package"), [("onnx", "onnxruntime"), ("pytorch", "torch")])
def test_the_error_for_a_missing_runtime_has_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(WrongUseError, match=rf"MISSING_PACKAGE: .*{package}, which .*pip install"):
        find_backend(name)


def test_onnx_is_the_default() -> None:
    assert known_backends()[0] == "onnx"


def test_a_batch_gives_named_float32_scores(colour_bundle: Path) -> None:
    session = open_session(Bundle.load(colour_bundle), "onnx", Device("cpu"), 1)

    images = np.full((5, 8, 8, 3), (255, 0, 51), np.uint8)
    scores = session.run({"images": images}, ["logits"])["logits"]

    assert scores.dtype == np.float32
    assert scores == pytest.approx(np.tile([10, 0, 2], (5, 1)))


def test_a_changed_model_file_is_refused_at_load(colour_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(colour_bundle, tmp_path / "x")
    with (tmp_path / "x/model.onnx").open("ab") as stream:
        stream.write(b"\0")

    with pytest.raises(WrongUseError, match=r"BUNDLE_CORRUPT: .*'model\.onnx' has changed"):
        open_session(Bundle.load(tmp_path / "x"), "onnx", Device("cpu"), 1)


def test_running_onnx_imports_neither_torch_nor_onnx(colour_bundle: Path) -> None:
    program = (
        "import sys; from sightline.backends.cache import open_session;"
        "from sightline.backends.device import resolve_device;"
        "from sightline.bundle.find import find_bundle;"
        f"open_session(find_bundle({str(colour_bundle)!r}), 'onnx',"
        " resolve_device('auto', 'onnx', None), 1);"
        "import sightline.cli.models;"
        "print(sorted({'torch', 'torchvision', 'timm', 'onnx'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: S603, PLW1510

    assert done.stdout.strip() == "[]", done.stderr
