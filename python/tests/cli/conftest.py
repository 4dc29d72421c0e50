"""A folder of images, and `predict` on it with a model of three colours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.cli.main import main

Encode = Callable[..., bytes]


@pytest.fixture
def images(tmp_path: Path, encode: Encode) -> Path:
    """Two folders named after colours, with four images and two files that are not images."""
    folder = tmp_path / "images"
    for name, colour in (("red/a", "red"), ("red/b", "blue"), ("blue/c", "blue"), ("d", "lime")):
        file = folder / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(colour))
    (folder / "red" / "text.png").write_bytes(b"not an image")
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture
def predict(colour_bundle: Path, tmp_path: Path) -> Callable[..., int]:
    def call(images: Path | str, *options: str) -> int:
        arguments = ["predict", "--images", str(images), "--model", "colour"]
        arguments += ["--models", str(colour_bundle.parent)]
        if "--output" not in options:
            arguments += ["--output", str(tmp_path / "out")]
        return main([*arguments, *options])

    return call
