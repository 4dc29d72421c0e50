"""The backend of users' Python code, on bundles that plugins make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import sightline
from sightline.backends.device import Device
from sightline.backends.python import PythonBackend
from sightline.bundle.bundle import Bundle
from sightline.bundle.verify import verify_bundle
from sightline.errors import SightlineError, WrongUseError

PLUGIN = """
import sightline

class Power(sightline.Plugin):
    def open(self, folder):
        return int((folder / "exponent.txt").read_text())

    def run(self, model, inputs):
        return {"power": inputs["x"] ** model}
"""
ROWS = np.array([[1, 2], [3, 4]], np.float32)
CPU = Device("cpu")


@pytest.fixture
def power(tmp_path: Path) -> Iterator[sightline.Plugin]:
    paths = list(sys.path)
    with zipfile.ZipFile(tmp_path / "power.zip", "w") as archive:
        archive.writestr("power_plugin.py", PLUGIN)
    yield sightline.load("power_plugin", tmp_path / "power.zip")
    sys.path[:] = paths
    del sys.modules["power_plugin"]


@pytest.fixture
def bundle(power: sightline.Plugin, tmp_path: Path) -> Path:
    (tmp_path / "exponent.txt").write_text("2")
    source = tmp_path / "exponent.txt"
    return shutil.copytree(power.bundle(source, example_inputs={"x": ROWS}), tmp_path / "bundle")


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def change(folder: Path, **fields: object) -> Bundle:
    tree = json.loads((folder / "model.json").read_text())
    tree["variants"]["python"] |= fields
    (folder / "model.json").write_text(json.dumps(tree))
    return Bundle.load(folder)


def test_a_folder_and_a_zip_give_the_same_numbers(bundle: Path) -> None:
    for path in (bundle, zipped(bundle)):
        session = PythonBackend().open(Bundle.load(path), CPU, 1, allow_code=True)
        found = session.run({"x": ROWS + 1}, ["power"])
        assert found["power"].tolist() == [[4, 9], [16, 25]]
        assert session.run({"x": ROWS}, []) == {}


REUSED = """
import numpy
import sightline

class Power(sightline.Plugin):
    buffer = numpy.zeros((2, 2), numpy.float32)

    def open(self, folder):
        return 2

    def run(self, model, inputs):
        rows = len(inputs["x"])
        return {"power": numpy.power(inputs["x"], model, out=self.buffer[:rows])}
"""


def test_a_model_may_use_one_output_array_for_all_batches(tmp_path: Path) -> None:
    paths = list(sys.path)
    with zipfile.ZipFile(tmp_path / "reused.zip", "w") as archive:
        archive.writestr("reused_plugin.py", REUSED)
    (tmp_path / "exponent.txt").write_text("2")
    plugin = sightline.load("reused_plugin", tmp_path / "reused.zip")
    path = plugin.bundle(tmp_path / "exponent.txt", example_inputs={"x": ROWS})
    session = PythonBackend().open(Bundle.load(path), CPU, 1, allow_code=True)
    first, second = (session.run({"x": ROWS + more}, ["power"])["power"] for more in (0, 1))
    assert (first.tolist(), second.tolist()) == ([[1, 4], [9, 16]], [[4, 9], [16, 25]])
    sys.path[:] = paths
    del sys.modules["reused_plugin"]


LOAD = """
import sys
from pathlib import Path
from sightline.backends.device import Device
from sightline.backends.python import PythonBackend
from sightline.bundle.bundle import Bundle

bundle = Bundle.load(Path(sys.argv[1]))
PythonBackend().open(bundle, Device("cpu"), 1, allow_code=True)
print(*Path(sys.argv[2]).glob("sightline-code-*"))
"""


def test_the_files_of_a_zip_are_removed_when_the_process_ends(bundle: Path, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", LOAD, str(zipped(bundle)), str(local)],
        env={**os.environ, "SPARK_LOCAL_DIRS": f"{local},{tmp_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    # A folder of the bundle's files, and one of the sources.
    assert [Path(one).parent for one in done.stdout.split()] == [local, local]
    assert list(local.iterdir()) == []


def test_the_golden_batch_is_checked(bundle: Path) -> None:
    checks = list(verify_bundle(Bundle.load(bundle), allow_code=True))
    assert [one.outcome for one in checks] == ["ok"] * len(checks)
    assert checks[-1].subject == "python variant"


def test_nothing_is_imported_without_consent(bundle: Path) -> None:
    sys.modules.pop("power_plugin")
    with pytest.raises(WrongUseError, match=r"CODE_NOT_ALLOWED: .*power_plugin:Power"):
        PythonBackend().open(Bundle.load(bundle), CPU, 1)
    assert "power_plugin" not in sys.modules
    own = change(bundle, architecture="sightline.plugins.plugin:Plugin")
    with pytest.raises(WrongUseError, match="CODE_NOT_ALLOWED"):
        PythonBackend().open(own, CPU, 1)
    sightline.load("power_plugin", bundle / "code.zip")  # for the end of the fixture


def test_changed_code_is_not_run(bundle: Path) -> None:
    with zipfile.ZipFile(bundle / "code.zip", "w") as archive:
        archive.writestr("power_plugin.py", PLUGIN.replace("** model", "* 0"))
    with pytest.raises(WrongUseError, match=r"BUNDLE_CORRUPT: .*'code\.zip' has changed"):
        PythonBackend().open(Bundle.load(bundle), CPU, 1, allow_code=True)


@pytest.mark.parametrize("reference", ["power_plugin", ""])
def test_a_variant_names_functions(bundle: Path, reference: str) -> None:
    with pytest.raises(WrongUseError, match=r"INVALID_BUNDLE: .*each module:name"):
        PythonBackend().open(change(bundle, architecture=reference), CPU, 1, allow_code=True)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("power_plugin:Nothing", "AttributeError: .*Nothing"),
        ("nowhere:load", "ModuleNotFoundError: .*nowhere"),
        ("power_plugin:__name__", "TypeError: 'power_plugin' is not a function"),
    ],
)
def test_code_that_is_not_there_is_named(bundle: Path, reference: str, reason: str) -> None:
    with pytest.raises(WrongUseError, match=f"LOADER_FAILED: '{reference}' did not .*{reason}"):
        PythonBackend().open(change(bundle, architecture=reference), CPU, 1, allow_code=True)


def test_user_code_gets_no_gpu(bundle: Path, colour_bundle: Path) -> None:
    assert not PythonBackend().has_cuda()
    with pytest.raises(WrongUseError, match=r"DEVICE_UNAVAILABLE: cuda:0 .*runs on the CPU only"):
        PythonBackend().open(Bundle.load(bundle), Device("cuda", 0), 1, allow_code=True)
    with pytest.raises(WrongUseError, match="NO_VARIANT"):
        PythonBackend().open(Bundle.load(colour_bundle), CPU, 1, allow_code=True)


def test_a_name_outside_the_bundle_is_not_written(bundle: Path) -> None:
    tree = json.loads((bundle / "model.json").read_text())
    tree["files"]["../outside"] = tree["files"]["code.zip"]
    (bundle / "model.json").write_text(json.dumps(tree))
    shutil.copyfile(bundle / "code.zip", bundle.parent / "outside")
    path = bundle.parent / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, file.name)
        archive.write(bundle / "code.zip", "../outside")
    with pytest.raises(
        WrongUseError, match=r"INVALID_BUNDLE: .*'\.\./outside' is not a plain name"
    ):
        PythonBackend().open(Bundle.load(path), CPU, 1, allow_code=True)


def test_a_loader_may_take_the_folder_of_the_files(tmp_path: Path) -> None:
    from sightline.backends.python import call_loader

    assert call_loader(lambda folder: folder, tmp_path) == tmp_path
    assert call_loader(lambda folder=3: folder, tmp_path) == 3
    assert call_loader(list, tmp_path) == []


def test_outputs_that_are_no_numbers_are_an_error_by_name() -> None:
    from sightline.backends.named_arrays import named_arrays

    for result, reason in (
        ({"label": ["a", "b"]}, "its output 'label' is <U1"),
        ([[1], [2, 3]], "its output 'x' is ragged"),
        ([{"a": 1}], "it returned 1 rows for a batch of 2"),
        ([{"a": 1}, {"b": 1}], "the rows that it returned have different names"),
        ((ROWS,), "it returned 1 outputs, but the signature has 2"),
    ):
        with pytest.raises(SightlineError, match=f"MODEL_OUTPUT: .*{reason}"):
            named_arrays(result, 2, ("x", "y"))
    assert list(named_arrays((ROWS, ROWS), 2)) == ["output_0", "output_1"]
