"""Wrong use of `sightline pack`; tests/cluster runs what it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.cli.main import main
from sightline.cli.pack import needed_distributions


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("environment.zip", (), "INVALID_OPTION: --output is '{output}'. Its name must end in"),
        ("a,b.tar.gz", (), "Spark cannot use an archive with , in its path."),
        ("here.tar.gz", (), "OUTPUT_EXISTS: {output} exists. Choose another --output, or add"),
        ("folder.tar.gz", ("--overwrite",), "OUTPUT_EXISTS: {output} exists."),
        ("x.tar.gz", ("--target", "mesos"), "--target"),
        ("x.tar.gz", ("--backend", "onxx"), "UNKNOWN_BACKEND: 'onxx'. Known: onnx,"),
        ("x.tar.gz", ("--package", "nowhere"), "MISSING_PACKAGE: --package needs the package nowh"),
        ("x.tar.gz", ("--gpus-per-task", "2"), "--gpus-per-task"),
    ],
)
def test_wrong_use_is_an_error_before_anything_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: tuple[str, ...],
    error: str,
) -> None:
    (tmp_path / "here.tar.gz").write_text("the old one")
    (tmp_path / "folder.tar.gz").mkdir()
    output = tmp_path / name
    assert main(["pack", "--output", str(output), *options]) == 2
    assert error.format(output=output) in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.tar.gz", "here.tar.gz"]
    assert (tmp_path / "here.tar.gz").read_text() == "the old one"


@pytest.mark.parametrize(
    ("backends", "packages", "some", "none"),
    [
        (("onnx",), (), {"numpy", "pillow", "pyarrow"}, {"torch", "openvino"}),
        # A model's architecture may be of timm or torchvision.
        (("pytorch",), (), {"torch", "torchvision", "timm"}, {"onnxruntime", "openvino"}),
        (("onnx", "openvino"), (), {"openvino"}, {"torch"}),
        (("python",), ("sightline[vectors]",), {"pandas", "usearch"}, {"onnxruntime", "torch"}),
    ],
)
def test_an_archive_has_the_packages_of_its_backends_and_no_others(
    backends: tuple[str, ...], packages: tuple[str, ...], some: set[str], none: set[str]
) -> None:
    found = needed_distributions(backends, packages)
    assert some | {"safetensors", "pyspark"} <= set(found)
    assert not none & set(found)
    # It travels in the jar.
    assert "sightline" not in found
