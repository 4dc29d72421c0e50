"""Fixtures of the bundle's tests: a tiny network, its state dict and the bundle made from them."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sightline.bundle.add import add_bundle
from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Preprocessing, Resize, Size

PREPROCESSING = Preprocessing(
    color="RGB",
    resize=Resize("shortest_edge", 20, 20, "bilinear"),
    crop=Size(16, 12),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)


@pytest.fixture(scope="session")
def preprocessing() -> Preprocessing:
    """16 x 12 pixels, so that swapping height and width fails a test."""
    return PREPROCESSING


@pytest.fixture(scope="session")
def networks() -> Iterator[None]:
    """`tiny_networks` can be imported."""
    folder = str(Path(__file__).parent / "networks")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture(scope="session")
def tiny_request(networks: None, tmp_path_factory: pytest.TempPathFactory) -> AddRequest:
    """Adds `tiny` from a .pth state dict."""
    import torch

    from sightline.backends.architecture import build_architecture

    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("weights") / "tiny.pth"
    network = build_architecture("tiny_networks:two_layers", {}, allow_code=True)
    torch.save(network.state_dict(), path)
    return AddRequest(
        name="tiny",
        labels=("cat", "dog", "fish"),
        preprocessing=PREPROCESSING,
        weights=path,
        architecture="tiny_networks:two_layers",
        arguments={"classes": 3},
        licence="MIT",
    )


@pytest.fixture(scope="session")
def tiny_models(tiny_request: AddRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `tiny` in both variants, and `tiny_torch` in pytorch alone."""
    root = tmp_path_factory.mktemp("models")
    add_bundle(tiny_request, root)
    add_bundle(replace(tiny_request, name="tiny_torch", export="nothing"), root)
    return root


@pytest.fixture
def tiny(tiny_models: Path, tmp_path: Path) -> Bundle:
    """A copy of the bundle `tiny` that a test can damage."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for file in (tiny_models / "tiny").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return Bundle.load(folder)
