"""How a plugin is found: shipped, installed, or in a zip."""

from __future__ import annotations

import importlib
import os
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

import sightline
from sightline.plugins.load_plugin import known_plugins
from sightline.plugins.session_folder import keep_file

SOURCE = """
import sightline

FACTOR = 2

class Times(sightline.Plugin):
    def open(self, folder):
        return float((folder / "number.txt").read_text())

    def run(self, model, inputs):
        (values,) = inputs.values()
        return values * model * FACTOR
"""


def zip_of(path: Path, **modules: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in modules.items():
            archive.writestr(f"{name}.py", text)
    return path


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Leave neither modules nor paths of these tests behind."""
    paths = list(sys.path)
    yield
    sys.path[:] = paths
    for name in ("times_plugin", "other_plugin"):
        sys.modules.pop(name, None)


def golden_outputs(path: Path) -> list[float]:
    from sightline.bundle.bundle import Bundle
    from sightline.bundle.golden import read_golden

    found: list[float] = read_golden(Bundle.load(path))[1]["output"].tolist()
    return found


def test_a_zip_gives_its_plugin_and_a_new_zip_the_new_one(tmp_path: Path) -> None:
    number = tmp_path / "number.txt"
    number.write_text("10")
    old = sightline.load("times_plugin", zip_of(tmp_path / "one.zip", times_plugin=SOURCE))
    changed = SOURCE.replace("FACTOR = 2", "FACTOR = 5")
    new = sightline.load("times_plugin", zip_of(tmp_path / "two.zip", times_plugin=changed))
    paths = [one.bundle(number, example_inputs=[1.0, 2.0]) for one in (old, new)]
    assert golden_outputs(paths[1]) == [50, 100]
    assert golden_outputs(paths[0]) == [20, 40]
    assert len(set(paths)) == 2
    for path, expected in zip(paths, (20, 50), strict=True):  # with the code in each bundle
        model = sightline.load(path, backend="python", allow_code=True)
        (row,) = model.run({"input": [1.0]})
        assert isinstance(row, dict)
        assert row["output"] == expected


def test_the_zip_is_read_once(tmp_path: Path) -> None:
    number = tmp_path / "number.txt"
    number.write_text("10")
    lazy = SOURCE.replace("* FACTOR", "* importlib.import_module('other_plugin').FACTOR")
    archive = zip_of(
        tmp_path / "one.zip", times_plugin=f"import importlib\n{lazy}", other_plugin="FACTOR = 7"
    )
    plugin = sightline.load("times_plugin", archive)
    zip_of(archive, times_plugin=SOURCE, other_plugin="FACTOR = 'of another version'")
    path = plugin.bundle(number, example_inputs=[1.0])
    assert golden_outputs(path) == [70]
    archive.unlink()
    assert plugin.bundle(number, example_inputs=[1.0]) == path
    model = sightline.load(path, backend="python", allow_code=True)
    sys.modules.pop("other_plugin")
    (path / "code.zip").unlink()  # as `models add --overwrite` would do
    (row,) = model.run({"input": [1.0]})
    assert isinstance(row, dict)
    assert row["output"] == 70


def test_threads_that_keep_one_file_get_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "large.zip"
    file.write_bytes(os.urandom(20_000_000))
    together = Barrier(8)

    def kept(_: int) -> int:
        together.wait()
        return len(keep_file(file).read_bytes())

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(kept, range(8))) == [20_000_000] * 8


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("pytest", "its module 'pytest' has the name of one that is loaded already, from /"),
        ("colorsys", "its module 'colorsys' has the name of one of Python's own. Rename it"),
        ("program_module", "its module 'program_module' has the name of one that is loaded alre"),
    ],
)
def test_a_zip_does_not_replace_a_module_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, reason: str
) -> None:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "program_module.py").write_text("state = []")
    monkeypatch.syspath_prepend(tmp_path / "program")
    loaded = importlib.import_module(module)
    archive = zip_of(tmp_path / "one.zip", times_plugin=SOURCE, **{module: "state = None"})
    with pytest.raises(sightline.WrongUseError) as raised:
        sightline.load("times_plugin", archive)
    assert raised.value.code == "WRONG_PLUGIN"
    assert f"cannot be imported: ImportError: {reason}" in raised.value.message
    assert importlib.import_module(module) is loaded
    # The same sources are the same module.
    sys.modules.pop("program_module", None)
    same = zip_of(tmp_path / "two.zip", times_plugin=SOURCE, program_module="state = []")
    program = importlib.import_module("program_module")
    sightline.load("times_plugin", same)
    assert importlib.import_module("program_module") is program
    sys.modules.pop("program_module")


def test_the_running_program_stays_when_a_zip_has_a_main_module(tmp_path: Path) -> None:
    main = sys.modules["__main__"]
    archive = zip_of(tmp_path / "one.zip", times_plugin=SOURCE, __main__="raise SystemExit")
    sightline.load("times_plugin", archive)
    assert sys.modules.get("__main__") is main


def test_shipped_plugins_are_known_by_name() -> None:
    assert known_plugins()[:4] == ("onnx", "pytorch", "keras", "tensorflow")
    for name in ("onnx", "pytorch", "keras", "tensorflow"):
        assert type(sightline.load_plugin(name)).__name__ == f"{name.capitalize()}Plugin"


def test_a_model_with_a_plugin_s_name_is_opened_first(
    colour_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(sightline.load("onnx"), sightline.Plugin)
    (tmp_path / "onnx").symlink_to(colour_bundle)
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    assert isinstance(sightline.load("onnx"), sightline.Model)
    assert isinstance(sightline.load_plugin("onnx"), sightline.Plugin)
    with pytest.raises(sightline.WrongUseError, match="UNKNOWN_MODEL: 'keras'"):
        sightline.load("keras", threads=1)


def test_an_entry_point_is_a_class_a_plugin_or_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "times_plugin.py").write_text(SOURCE + "\nready = Times()\nwrong = 3\n")
    metadata = tmp_path / "times-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: times\nVersion: 1.0\n")
    values = ("times_plugin:Times", "times_plugin:ready", "times_plugin", "times_plugin:wrong")
    entries = [f"times{at} = {value}" for at, value in enumerate(values)]
    (metadata / "entry_points.txt").write_text("\n".join(["[sightline.plugins]", *entries]))
    monkeypatch.syspath_prepend(tmp_path)
    names = [type(sightline.load_plugin(f"times{at}")).__name__ for at in range(3)]
    assert names == ["Times"] * 3
    with pytest.raises(
        sightline.WrongUseError, match=r"BROKEN_EXTENSION: .*'times3'.* is 3, not a"
    ):
        sightline.load_plugin("times3")
    with pytest.raises(sightline.WrongUseError, match=r"UNKNOWN_PLUGIN: 'nobody'. Known: .*times3"):
        sightline.load_plugin("nobody")


def test_a_zip_without_a_plugin_is_refused_with_the_reason(tmp_path: Path) -> None:
    two = SOURCE + "\nclass Other(sightline.Plugin):\n    pass\n"
    for text, reason in (
        ("x = 1", "module other_plugin has no plugin"),
        (two, "module other_plugin has 2 subclasses of sightline.Plugin"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError: .*no_such_module"),
    ):
        archive = zip_of(tmp_path / f"{len(text)}.zip", other_plugin=text)
        with pytest.raises(sightline.WrongUseError, match=f"WRONG_PLUGIN: .*{reason}"):
            sightline.load("other_plugin", archive)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(sightline.WrongUseError, match=r"WRONG_PLUGIN: .*is no zip file"):
        sightline.load("other_plugin", tmp_path / "text.zip")
    with pytest.raises(sightline.WrongUseError, match=r"PATH_NOT_FOUND: .*none.zip"):
        sightline.load("other_plugin", tmp_path / "none.zip")


def test_a_plugin_takes_no_option_of_a_model(tmp_path: Path) -> None:
    with pytest.raises(
        sightline.WrongUseError, match="INVALID_OPTION: a plugin has no option back"
    ):
        sightline.load("x", tmp_path, backend="onnx")  # type: ignore[call-overload]


def test_example_rows_are_converted_to_the_given_type(tmp_path: Path) -> None:
    plugin = sightline.load("times_plugin", zip_of(tmp_path / "one.zip", times_plugin=SOURCE))
    number = tmp_path / "number.txt"
    number.write_text("0.5")
    path = plugin.bundle(number, inputs="int32[n]", example_inputs=np.arange(3))
    assert golden_outputs(path) == [0, 1, 2]
