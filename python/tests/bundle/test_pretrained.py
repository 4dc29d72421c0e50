import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torchvision
from click.testing import CliRunner, Result
from torchvision.models import MobileNet_V3_Small_Weights

from sightline.bundle.bundle import Bundle
from sightline.bundle.weights import read_weights
from sightline.cli.models import models
from sightline.errors import SightlineError, WrongUseError

ARCHITECTURE = "torchvision:mobilenet_v3_small"
Offer = Callable[..., str]


def add(root: Path, *arguments: str) -> Result:
    command = ["add", "small", "--architecture", ARCHITECTURE, "--models", str(root), *arguments]
    return CliRunner().invoke(models, command)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict in torchvision's format, with random numbers."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(torchvision.models.mobilenet_v3_small().state_dict(), path)
    return path


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Serve bytes on this machine as torchvision's weights, and return the URL."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def offered(content: bytes, sha256: str = "") -> str:
        name = f"small-{(sha256 or hashlib.sha256(content).hexdigest())[:8]}.pth"
        (folder / name).write_bytes(content)
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        monkeypatch.setattr(MobileNet_V3_Small_Weights.IMAGENET1K_V1.value, "url", url)
        return url

    yield offered
    server.shutdown()
    server.server_close()


def test_torchvisions_weights_are_downloaded_with_their_labels_and_preprocessing(
    weights: Path, offer: Offer, tmp_path: Path
) -> None:
    url = offer(weights.read_bytes())

    result = add(tmp_path, "--no-export")

    assert result.exit_code == 0, result.exception
    assert "those of torchvision's MobileNet_V3_Small_Weights.IMAGENET1K_V1" in result.output
    bundle = Bundle.load(tmp_path / "small")
    found, expected = read_weights(bundle.path / "weights.safetensors"), read_weights(weights)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert bundle.labels[:2] == ("tench", "goldfish")
    signature = bundle.manifest.signature
    assert signature.require_classes("small").tensor.shape == ("n", 1000)
    how = signature.require_image("small")
    assert (how.resize.mode, how.resize.height, how.size.height) == ("shortest_edge", 256, 224)
    assert (how.mean, how.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert url in bundle.manifest.source
    assert "IMAGENET1K_V1" in bundle.manifest.source
    assert bundle.manifest.licence.startswith("BSD-3-Clause")
    assert "features: 1024 numbers per image" in result.output


def test_a_download_with_another_hash_is_refused(
    weights: Path, offer: Offer, tmp_path: Path
) -> None:
    url = offer(weights.read_bytes(), sha256="0" * 64)

    error = add(tmp_path / "models", "--pretrained", "IMAGENET1K_V1").exception

    assert str(error).startswith(
        f"DOWNLOAD_FAILED: {url} could not be downloaded: invalid hash value"
    )
    assert list((tmp_path / "models").iterdir()) == []


def test_the_error_of_a_failed_download_has_the_address_and_a_remedy(
    weights: Path, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(weights.read_bytes())
    nowhere = "http://127.0.0.1:9/small-12345678.pth"  # no server uses this port
    monkeypatch.setattr(MobileNet_V3_Small_Weights.IMAGENET1K_V1.value, "url", nowhere)

    error = add(tmp_path / "models").exception

    assert isinstance(error, SightlineError)
    assert not isinstance(error, WrongUseError)
    assert f"DOWNLOAD_FAILED: {nowhere} could not be downloaded" in str(error)
    assert "--weights FILE" in str(error)


def test_a_download_that_contains_code_is_not_unpickled(offer: Offer, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = io.BytesIO()
    torch.save({"weight": Bomb(canary)}, content)
    offer(content.getvalue())

    error = add(tmp_path / "models").exception

    assert "UNSAFE_WEIGHTS" in str(error)
    assert not canary.exists()


class Bomb:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.mkdir, (self.path,)


def test_an_existing_bundle_is_refused_before_the_download(offer: Offer, tmp_path: Path) -> None:
    offer(b"")
    (tmp_path / "small").mkdir()

    assert "MODEL_EXISTS" in str(add(tmp_path).exception)


def test_own_weights_use_torchvisions_values_for_missing_options(
    weights: Path, tmp_path: Path
) -> None:
    own = ["--weights", str(weights), "--no-export", "--mean", "0.5", "--std", "0.5"]

    result = add(tmp_path, *own, "--resize", "240")

    assert result.exit_code == 0, result.exception
    assert "labels, crop, interpolation: those of torchvision's MobileNet_V3" in result.output
    manifest = Bundle.load(tmp_path / "small").manifest
    how = manifest.signature.require_image("small")
    assert (how.resize.height, how.size.height, how.mean) == (240, 224, (0.5, 0.5, 0.5))
    assert manifest.source == manifest.licence == "not stated"


def test_a_stretch_takes_no_crop_from_torchvision(weights: Path, tmp_path: Path) -> None:
    result = add(tmp_path, "--weights", str(weights), "--no-export", "--resize", "96x64")

    assert result.exit_code == 0, result.exception
    how = Bundle.load(tmp_path / "small").manifest.signature.require_image("small")
    assert (how.resize.mode, how.crop) == ("stretch", None)
    assert "labels, interpolation, mean, std: those of" in result.output


def test_labels_of_another_number_must_be_given(tmp_path: Path) -> None:
    path = tmp_path / "five.pth"
    torch.save(torchvision.models.mobilenet_v3_small(num_classes=5).state_dict(), path)

    five = ["--weights", str(path), "--architecture-arguments", '{"num_classes": 5}']
    error = add(tmp_path / "models", *five).exception

    assert "LABEL_COUNT_MISMATCH: there are 1000 labels, but 'torchvision:mob" in str(error)
    assert "--labels FILE" in str(error)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            "--pretrained IMAGENET1K_V7",
            "UNKNOWN_WEIGHTS: torchvision has no weights 'IMAGENET1K_V7",
        ),
        ("--pretrained X --weights y.pth", "NO_SOURCE: --weights and --pretrained both choose"),
        ("--pretrained X --architecture timm:resnet10t", "NO_WEIGHTS: only torchvision's own"),
        ("--architecture timm:test_vit", "NO_SOURCE: give --onnx FILE, or --weights FILE"),
        ("--architecture torchvision:resnet5", "UNKNOWN_ARCHITECTURE: 'torchvision:resnet5'"),
        ("--crop 384", "BAD_PREPROCESSING: the crop, 384 x 384, is larger than the resized image"),
        ("--architecture torch.nn:Linear --weights x", "--labels, --resize, --mean, --std must be"),
    ],
)
def test_wrong_options_are_refused_before_the_download(
    tmp_path: Path, wrong: str, message: str
) -> None:
    result = add(tmp_path / "models", *wrong.split())

    assert isinstance(result.exception, WrongUseError) or result.exit_code == 2
    assert message in result.output + str(result.exception)
    assert not (tmp_path / "models").exists()
