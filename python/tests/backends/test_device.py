import pytest

from sightline.backends import device, onnx
from sightline.backends.device import Device, cuda_device_count, resolve_device
from sightline.errors import SightlineError, WrongUseError


class Fake:
    """A backend with or without CUDA."""

    def __init__(self, *, cuda: bool) -> None:
        self.cuda = cuda

    def has_cuda(self) -> bool:
        return self.cuda


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "find_backend", lambda _: Fake(cuda=True))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "find_backend", lambda _: Fake(cuda=False))


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("requested", "addresses", "expected"),
    [
        ("cpu", None, "cpu"),
        ("cpu", ["1"], "cpu"),
        ("auto", None, "cuda:0"),
        ("auto", [], "cpu"),
        ("auto", ["1"], "cuda:1"),
        ("cuda", None, "cuda:0"),
        ("cuda", ["3", "4"], "cuda:3"),
    ],
)
def test_with_a_gpu_the_task_address_decides(
    requested: str, addresses: list[str] | None, expected: str
) -> None:
    assert str(resolve_device(requested, "onnx", addresses)) == expected


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("requested", "addresses"), [("cpu", None), ("auto", None), ("auto", [])])
def test_without_a_gpu_auto_uses_the_cpu(requested: str, addresses: list[str] | None) -> None:
    assert resolve_device(requested, "onnx", addresses) == Device("cpu")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("requested", "addresses"), [("cuda", None), ("cuda", []), ("cuda", ["0"]), ("auto", ["0"])]
)
def test_a_missing_gpu_is_an_error_and_does_not_fall_back_to_the_cpu(
    requested: str, addresses: list[str] | None
) -> None:
    with pytest.raises(SightlineError, match=r"^DEVICE_UNAVAILABLE: .*Use --device cpu"):
        resolve_device(requested, "onnx", addresses, local=True)


@pytest.mark.usefixtures("gpu")
def test_a_task_without_a_gpu_takes_one_in_local_mode_only() -> None:
    assert str(resolve_device("cuda", "onnx", [], local=True)) == "cuda:0"

    with pytest.raises(
        SightlineError, match=r"DEVICE_UNAVAILABLE: .*spark\.task\.resource\.gpu\.amount"
    ):
        resolve_device("cuda", "onnx", [])


@pytest.mark.usefixtures("gpu")
def test_an_address_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(SightlineError, match=r"DEVICE_UNAVAILABLE: .*'MIG-1'"):
        resolve_device("auto", "onnx", ["MIG-1"])


def test_the_error_for_an_unknown_device_lists_the_known_ones() -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_DEVICE: 'tpu'\. Known: auto, cpu, cuda"):
        resolve_device("tpu", "onnx", None)


def test_the_error_for_an_unknown_backend_lists_the_known_ones() -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_BACKEND: 'jax'\. Known: onnx, pytorch"):
        resolve_device("cpu", "jax", None)


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError

    monkeypatch.setattr("ctypes.CDLL", missing)

    assert cuda_device_count() == 0


@pytest.mark.usefixtures("gpu")
def test_a_task_with_a_part_of_a_gpu_may_use_that_part_of_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = resolve_device("cuda", "onnx", ["3"], share=0.25)
    assert str(shared) == "cuda:3"
    assert shared.memory_fraction == pytest.approx(0.225)
    assert shared == Device("cuda", 3)  # the same model on the same device is not loaded again
    monkeypatch.setattr(onnx, "cuda_device_bytes", lambda _: 16_000_000_000)
    assert onnx.cuda_options(shared) == {"device_id": 3, "gpu_mem_limit": 3_600_000_000}
    assert onnx.cuda_options(resolve_device("cuda", "onnx", ["3"])) == {"device_id": 3}
