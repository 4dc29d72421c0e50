"""A package with a backend, a feed, a head and a source, installed as pip would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper

import sightline
from sightline.backends import cache
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.backends.registry import backend_entry, find_backend, known_backends
from sightline.backends.require_supported import backends_of, require_precision
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import pack_golden
from sightline.bundle.verify import verify_bundle
from sightline.calibrate.calibrated_mode import reference_mode
from sightline.calibrate.classify import classify
from sightline.cli.main import main
from sightline.engine.model import Model
from sightline.engine.result_type import Tensors
from sightline.engine.run import run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.extensions import load_extension
from sightline.source.list_images import ImageSource, list_images
from sightline.source.read_images import read_images

PLUGIN = Path(__file__).parent / "plugins" / "sightline_demo"
DOCS = Path(__file__).parents[2] / "docs" / "extending.md"


def install(site: Path, package: str, entry_points: str) -> None:
    """Write the metadata that pip writes for a package in a folder of sys.path."""
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sys.path with the package sightline_demo."""
    site = tmp_path / "site"
    shutil.copytree(PLUGIN, site / "sightline_demo")
    install(site, "sightline-demo", (PLUGIN / "entry_points.txt").read_text())
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(cache, "_sessions", {})
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "sightline_demo"]:
        del sys.modules[name]


def predict(tmp_path: Path, images: Path, model: Path, backend: str) -> pa.Table:
    output = tmp_path / f"by_{backend}"
    arguments = ["--images", str(images), "--output", str(output), "--backend", backend]
    assert main(["predict", *arguments, "--model", str(model), "--threads", "1"]) == 0
    return pq.read_table(output / "part-00000.parquet")


def test_a_backend_of_another_package_gives_the_same_classes_as_the_built_in_one(
    site: Path, tmp_path: Path, colour_bundle: Path, encode: Callable[..., bytes]
) -> None:
    (tmp_path / "images").mkdir()
    for i in range(10):
        content = encode((i * 20, 90, 255 - i * 20), "JPEG", (40, 30))
        (tmp_path / "images" / f"{i}.jpg").write_bytes(content)
    (tmp_path / "images" / "x.jpg").write_bytes(b"text")

    ours, theirs = (
        predict(tmp_path, tmp_path / "images", colour_bundle, one) for one in ("onnx", "reference")
    )

    assert theirs.column("error").to_pylist() == ours.column("error").to_pylist()
    for one, other in zip(
        theirs.column("prediction").to_pylist(), ours.column("prediction").to_pylist(), strict=True
    ):
        assert (one and one["class_id"]) == (other and other["class_id"])
        assert (one and one["score"]) == (other and pytest.approx(other["score"], abs=1e-6))


def test_the_python_interface_accepts_a_backend_of_another_package(
    site: Path, colour_bundle: Path, encode: Callable[..., bytes]
) -> None:
    model = sightline.load(colour_bundle, backend="reference", threads=1)
    predictions = model.predict([encode("blue"), encode("red")])
    assert [one.label for one in predictions] == ["blue", "red"]


def test_a_backend_is_listed_and_its_declaration_is_used(site: Path, colour_bundle: Path) -> None:
    bundle = Bundle.load(colour_bundle)
    assert known_backends() == ("onnx", "pytorch", "openvino", "python", "reference")
    assert backends_of(bundle) == ("onnx", "openvino")
    with pytest.raises(WrongUseError, match="UNSUPPORTED_PRECISION: backend reference does not"):
        require_precision(bundle, "reference", "bf16")
    with pytest.raises(WrongUseError, match=r"UNKNOWN_BACKEND: 'tvm'\. Known: .*, reference\."):
        backend_entry("tvm")


def test_a_variant_of_another_package_is_the_reference_of_a_calibration(
    site: Path, tmp_path: Path, colour_bundle: Path, encode: Callable[..., bytes]
) -> None:
    code = (site / "sightline_demo/backend.py").read_text().replace('variant="onnx"', 'variant="v"')
    code = code.replace(" or bundle.manifest.onnx is None", "")
    code = code.replace("bundle.manifest.onnx.file", '"model.onnx"')
    (site / "sightline_demo/backend.py").write_text(code)
    copy = shutil.copytree(colour_bundle, tmp_path / "colour")
    tree = json.loads((copy / "model.json").read_text())
    tree["variants"] = {"v": {"file": "model.onnx"}}
    (copy / "model.json").write_text(json.dumps(tree))
    (tmp_path / "images").mkdir()
    for at, colour in enumerate(("blue", "red", "lime")):
        (tmp_path / "images" / f"{at}.png").write_bytes(encode(colour))
    bundle = Bundle.load(copy)

    mode = reference_mode(bundle)

    assert str(mode) == "reference fp32"
    images = list_images(ImageSource(str(tmp_path / "images")))
    assert classify(bundle, mode, images, allow_code=False).found.tolist() == [2, 0, 1]


def test_the_preflight_reports_a_backend_of_another_package(site: Path) -> None:
    code = "import json; from sightline.worker.preflight import preflight; "
    code += "print(json.dumps(preflight()))"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    answer = json.loads(done.stdout)
    declared = {"package": "onnx", "variant": "onnx", "precisions": ["fp32"]}
    assert answer["backends"]["reference"] == declared
    assert answer["packages"]["onnx"] == onnx.__version__


def test_the_preflight_reports_the_other_backends_if_one_is_broken(site: Path) -> None:
    from sightline.worker.preflight import preflight

    (site / "sightline_demo/backend.py").write_text("import no_such_module\n")
    answer = json.loads(json.dumps(preflight()))
    assert sorted(answer["backends"]) == ["onnx", "openvino", "python", "pytorch"]
    assert "package sightline-demo cannot be loaded" in answer["broken_backends"]["reference"]


def test_finding_names_imports_nothing(site: Path) -> None:
    assert "reference" in known_backends()
    assert not any(name.startswith("sightline_demo") for name in sys.modules)


def test_the_error_for_a_missing_package_of_a_backend_has_its_name(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (site / "sightline_demo/backend.py").read_text()
    changed = text.replace('package="onnx"', 'package="no_such_runtime"')
    (site / "sightline_demo/backend.py").write_text(changed)
    with pytest.raises(WrongUseError, match=r"MISSING_PACKAGE: .*no_such_runtime.*install 'onnx'"):
        find_backend("reference")


def test_the_error_for_a_broken_extension_has_its_package(site: Path) -> None:
    (site / "sightline_demo/backend.py").write_text("import no_such_module\n")
    message = "BROKEN_EXTENSION: .*'reference' of sightline.backends in package sightline-demo"
    with pytest.raises(WrongUseError, match=f"{message} .*no_such_module"):
        backend_entry("reference")
    (site / "sightline_demo/backend.py").write_text("ENTRY = 'onnx'\n")
    with pytest.raises(WrongUseError, match=r"BROKEN_EXTENSION: .* is 'onnx', not a BackendEntry"):
        backend_entry("reference")


def test_the_error_for_a_name_in_two_packages_has_both_packages(site: Path) -> None:
    install(site, "other", "[sightline.backends]\nreference = other:ENTRY\n")
    with pytest.raises(WrongUseError, match=r"BROKEN_EXTENSION: .*in other and sightline-demo"):
        backend_entry("reference")


def test_a_feed_and_a_head_of_another_package_are_used(site: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(write_letters_bundle(tmp_path / "letters"))
    assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    texts = pa.array(["aab", "Zebra!", None, "123", "a" * 50])

    (found,) = run_scalar([texts], model, EngineSettings(batch_rows=2), Tensors(("stars",)))

    rows = [row.as_py() for row in found]
    assert [row and row["stars"] for row in rows] == [3, 5, None, None, 5]
    assert rows[2] is None
    assert rows[3]["error"]["message"] == "The text has no letter from a to z."


def test_the_error_for_a_kind_that_is_not_installed_lists_the_known_ones(tmp_path: Path) -> None:
    bundle = Bundle.load(write_letters_bundle(tmp_path / "letters"))
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    message = r"UNKNOWN_EXTENSION: there is no feed 'letters'\. Known: image, tensor\."
    with pytest.raises(WrongUseError, match=message):
        list(run_scalar([pa.array(["a"])], model, EngineSettings(), Tensors(("stars",))))


def test_the_error_for_an_unknown_head_lists_the_known_ones(site: Path, tmp_path: Path) -> None:
    path = write_letters_bundle(tmp_path / "letters", head={"kind": "boxes"})
    bundle = Bundle.load(path)
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    message = r"there is no head 'boxes'\. Known: classes, tensor, vector, rating\."
    with pytest.raises(WrongUseError, match=message):
        list(run_scalar([pa.array(["a"])], model, EngineSettings(), Tensors(("stars",))))


def test_settings_are_checked_by_the_extensions_package(site: Path, tmp_path: Path) -> None:
    path = write_letters_bundle(tmp_path / "letters", head={"kind": "rating", "least": 1})
    bundle = Bundle.load(path)
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .* a rating has least and most"):
        list(run_scalar([pa.array(["a"])], model, EngineSettings(), Tensors(("stars",))))


def test_a_source_of_another_package_lists_and_reads_images(
    site: Path, tmp_path: Path, colour_bundle: Path, encode: Callable[..., bytes]
) -> None:
    with zipfile.ZipFile(tmp_path / "photographs.ZIP", "w") as archive:
        archive.writestr("red/b.png", encode("red"))
        archive.writestr("blue/a.png", encode("red"))
        archive.writestr("blue/broken.png", b"text")

    found = predict(tmp_path, tmp_path / "photographs.ZIP", colour_bundle, "onnx")

    assert found.column("path").to_pylist() == ["blue/a.png", "blue/broken.png", "red/b.png"]
    assert found.column("label").to_pylist() == ["blue", "blue", "red"]
    predicted = [row and row["label"] for row in found.column("prediction").to_pylist()]
    assert predicted == ["red", None, "red"]


def test_an_image_that_a_source_cannot_read_is_an_error_of_its_row(
    site: Path, tmp_path: Path, colour_bundle: Path, encode: Callable[..., bytes]
) -> None:
    path, damaged = tmp_path / "photographs.zip", encode("blue")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", encode("red"))
        archive.writestr("b.png", damaged)
        archive.writestr("c.png", encode("red"))
    content = path.read_bytes()
    at = content.index(damaged) + len(damaged) - 1
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])

    found = predict(tmp_path, path, colour_bundle, "onnx")

    predicted = [row and row["label"] for row in found.column("prediction").to_pylist()]
    assert predicted == ["red", None, "red"]
    message = "BadZipFile: Bad CRC-32 for file 'b.png'"
    assert found.column("error").to_pylist() == [
        None,
        {"code": "IO", "stage": "read", "message": message},
        None,
    ]


def test_a_source_can_return_any_bytes_type_and_no_other_type(site: Path, tmp_path: Path) -> None:
    (site / "sightline_demo/source.py").write_text(
        "from sightline.source.list_source import SourceImages\n"
        "from sightline.row_error import RowError\n"
        "def denied():\n"
        "    raise PermissionError(13, 'Permission denied')\n"
        "def broken():\n"
        "    raise ValueError('no such frame')\n"
        "found = [\n"
        "    lambda: b'abc', lambda: bytearray(b'de'), lambda: memoryview(b'fgh')[1:], denied,\n"
        "    broken, lambda: RowError('EMPTY', 'read', 'nothing'), lambda: 'text',\n"
        "]\n"
        "def list_zip(images):\n"
        "    return SourceImages([f'{i}.png' for i in range(7)], lambda row: found[row]())\n"
    )
    listing = list_images(ImageSource("zip://x"))

    (batch,) = read_images(listing.first(6), 100, 10, 1000)

    assert batch.column("__content").to_pylist() == [b"abc", b"de", b"gh", None, None, None]
    assert batch.column("__error").to_pylist()[3:] == [
        {"code": "DENIED", "stage": "read", "message": "Permission denied."},
        {"code": "IO", "stage": "read", "message": "ValueError: no such frame"},
        {"code": "EMPTY", "stage": "read", "message": "nothing"},
    ]
    message = r"BROKEN_EXTENSION: the source 'zip' returned str for 6\.png, not bytes or a RowError"
    with pytest.raises(WrongUseError, match=message):
        list(read_images(listing, 100, 10, 1000))


def test_globs_and_paths_without_a_suffix_are_not_passed_to_a_source(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("zip", "a.zip", "b.zip", "[c].zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(f"in {name}", b"x")

    def files(images: str) -> list[str]:
        return [Path(file).name for file in list_images(ImageSource(images)).files]

    assert files("?.zip") == ["a.zip", "b.zip"]
    assert files("zip") == ["zip"]
    assert files("a.zip") == ["in a.zip"]
    assert files("[c].zip") == ["in [c].zip"]


def test_the_error_for_a_missing_extension_lists_the_installed_ones(site: Path) -> None:
    message = r"UNKNOWN_EXTENSION: there is no source 'tar'\. Known: zip\."
    with pytest.raises(WrongUseError, match=message):
        load_extension("sightline.sources", "tar")


@pytest.mark.parametrize(
    ("option", "value"), [("--path-column", "x"), ("--include", "*.png"), ("--root", "/")]
)
def test_options_of_tables_and_folders_are_refused(
    site: Path,
    tmp_path: Path,
    colour_bundle: Path,
    option: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--images", f"{tmp_path}/x.zip", "--output", f"{tmp_path}/out", option, value]
    assert main(["predict", *arguments, "--model", str(colour_bundle)]) == 2
    assert "WRONG_ARGUMENTS" in capsys.readouterr().err


def test_the_extensions_page_shows_the_files_of_the_example_package() -> None:
    page = DOCS.read_text("utf-8")
    for name in ("backend.py", "feed.py", "head.py", "source.py", "entry_points.txt"):
        assert f"```\n{(PLUGIN / name).read_text('utf-8')}```".partition("\n")[2] in page, name


def test_a_backend_takes_fewer_than_80_lines() -> None:
    assert len((PLUGIN / "backend.py").read_text().splitlines()) < 80


def write_letters_bundle(folder: Path, head: dict[str, Any] | None = None) -> Path:
    """Write a model that counts the letters a to z: stars, float32 (n,)."""
    import hashlib

    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["counts", "axes"], ["stars"], keepdims=0)],
        "letters",
        [helper.make_tensor_value_info("counts", TensorProto.FLOAT, ["n", 26])],
        [helper.make_tensor_value_info("stars", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    opsets = [helper.make_opsetid("", 18)]
    counts = np.eye(3, 26, dtype=np.float32)
    contents = {
        "model.onnx": helper.make_model(
            graph, opset_imports=opsets, ir_version=9
        ).SerializeToString(),
        "golden.safetensors": pack_golden({"counts": counts}, {"stars": counts.sum(axis=1)}),
    }
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    rating = head or {"kind": "rating", "least": 1, "most": 5}
    tree = {
        "format": 2,
        "name": "letters",
        "description": "",
        "inputs": [
            {"name": "counts", "dtype": "float32", "shape": ["n", 26], "feed": {"kind": "letters"}}
        ],
        "outputs": [{"name": "stars", "dtype": "float32", "shape": ["n"], "head": rating}],
        "variants": {"onnx": {"file": "model.onnx", "opset": 18}},
        "parameters": 0,
        "golden": {
            "file": "golden.safetensors",
            "rows": 3,
            "tolerance": 0.001,
            "max_abs_delta": {},
        },
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        "licence": "MIT",
        "source": "tests",
        "created_by": "tests",
    }
    (folder / "model.json").write_text(json.dumps(tree))
    return folder
