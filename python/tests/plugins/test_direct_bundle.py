"""Bundles of Python code, without Spark: signatures, code, and wrong options."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pytest

import sightline
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import read_golden
from sightline.errors import WrongUseError
from sightline.plugins import user_code
from sightline.plugins.model_options import ModelOptions

ROWS = np.array([[1, 2], [3, 4]], np.float32)
plugin = sightline.Plugin()


def load() -> Callable[..., object]:
    return double


def double(values: np.ndarray) -> object:
    return {"twice": values * 2, "count": np.full(len(values), 2, "int32")}


class Unsaved(sightline.Plugin):
    """A plugin of this module."""


def manifest(**options: Unpack[ModelOptions]) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((plugin.bundle(load, **options) / "model.json").read_text())
    return tree


def refused(message: str, **options: Unpack[ModelOptions]) -> None:
    with pytest.raises(WrongUseError, match=message):
        plugin.bundle(load, **options)


def test_example_rows_give_the_signature_and_the_golden_batch() -> None:
    path = plugin.bundle(load, example_inputs=ROWS)
    tree = json.loads((path / "model.json").read_text())
    assert [(one["name"], one["dtype"], one["shape"]) for one in tree["inputs"]] == [
        ("input", "float32", ["n", 2])
    ]
    assert [(one["name"], one["shape"], one["head"]["kind"]) for one in tree["outputs"]] == [
        ("twice", ["n", 2], "vector"),
        ("count", ["n"], "tensor"),
    ]
    inputs, outputs = read_golden(Bundle.load(path))
    assert inputs["input"].tolist() == [[1, 2], [3, 4]]
    assert outputs["twice"].tolist() == [[2, 4], [6, 8]]


class Picky(sightline.Plugin):
    """A plugin that refuses every model with an error of Sightline's."""

    def save(self, m: object, folder: Path) -> None:
        """Write nothing."""

    def open(self, folder: Path) -> object:
        """Refuse."""
        raise WrongUseError("WRONG_MODEL_SOURCE", "only models with a licence are served.")


def test_an_error_of_sightline_in_a_plugin_stays_as_it_is() -> None:
    for call in (Picky().bundle, Picky().model_summary):
        with pytest.raises(WrongUseError, match="only models with a licence") as raised:
            call("x", example_inputs=ROWS, inputs="float32[n,2]")
        assert raised.value.code == "WRONG_MODEL_SOURCE"
    with pytest.raises(WrongUseError, match=r"^WRONG_MODEL_SOURCE: only"):
        Picky().model_summary("x", inputs="float32[n,2]", outputs="float32[n]")


def test_the_same_model_has_the_same_hash_and_place() -> None:
    assert plugin.bundle(load, example_inputs=ROWS) == plugin.bundle(load, example_inputs=ROWS)
    other = plugin.bundle(load, example_inputs=ROWS, name="other name!")
    assert Bundle.load(other).name == "other_name_"


def test_given_tensors_choose_outputs_and_types() -> None:
    tree = manifest(
        inputs={"x": "float64[n,2]"}, outputs={"twice": "float32[n,2]"}, example_inputs=ROWS
    )
    assert [one["name"] for one in tree["outputs"]] == ["twice"]
    assert tree["inputs"][0]["dtype"] == "float64"
    labelled = manifest(
        example_inputs=ROWS, outputs={"twice": "float32[n,2]"}, labels=["a", "b"], activation="auto"
    )
    head = {"kind": "classes", "labels": "labels.txt", "activation": "none"}
    assert labelled["outputs"][0]["head"] == head
    letters: Any = (letter for letter in "ab")  # the options are checked, then written
    path = plugin.bundle(
        load, example_inputs=ROWS, outputs={"twice": "float32[n,2]"}, labels=letters
    )
    assert Bundle.load(path).labels == ("a", "b")
    free = manifest(inputs="int64[n,tokens]", outputs="float32[n]")
    assert free["inputs"][0]["shape"] == ["n", "tokens"]


def test_wrong_options_are_named() -> None:
    refused("INVALID_OPTION: the tensors .* are not known", inputs="float32[n]")
    refused(
        r"INVALID_OPTION: .*for each row of the input, and there is no y",
        example_inputs=ROWS,
        outputs={"y": "float32[n]"},
    )
    refused("INVALID_OPTION: example_inputs must have the same rows", example_inputs=3.0)
    refused(
        "INVALID_OPTION: .* x .*, and y",
        example_inputs={"x": ROWS},
        inputs={"x": "float32[n,2]", "y": "float32[n]"},
    )
    refused("INVALID_OPTION: heads is .*labels", example_inputs=ROWS, heads={"twice": "classes"})
    refused("INVALID_OPTION: heads is .*nothing", example_inputs=ROWS, heads={"nothing": "tensor"})
    refused("INVALID_OPTION: tensor 'input' is complex64", example_inputs=ROWS.astype("complex64"))
    refused("UNKNOWN_OPTION: 'rows'", example_inputs=ROWS, rows=3)  # type: ignore[call-arg]
    refused("LOADER_FAILED: .*load' did not load", example_inputs={"a": ROWS, "b": ROWS})
    with pytest.raises(
        WrongUseError, match=r"INVALID_OPTION: result is 'all'. It must be value or"
    ):
        plugin.model_udf(load, example_inputs=ROWS, result="all")  # type: ignore[arg-type]


def test_examples_that_are_no_arrays_are_named() -> None:
    refused("INVALID_OPTION: example_inputs cannot be made arrays", example_inputs=[[1], [2, 3]])
    refused(
        "INVALID_OPTION: example_inputs .* 300 out of bounds for uint8",
        inputs="uint8[n]",
        example_inputs=[300],
    )


def test_code_may_be_one_path(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 1\n")
    path = plugin.bundle(load, example_inputs=ROWS, code=str(tmp_path / "helper.py"))
    assert "helper.py" in zipfile.ZipFile(path / "code.zip").namelist()
    refused("PATH_NOT_FOUND: 'none.py'", example_inputs=ROWS, code="none.py")


def test_a_function_of_columns_needs_a_session() -> None:
    with pytest.raises(WrongUseError, match=r"NO_SPARK_SESSION: .*getOrCreate"):
        plugin.model_udf(load, example_inputs=ROWS, allow_code=True)


def test_a_loader_is_a_function() -> None:
    with pytest.raises(WrongUseError, match=r"WRONG_MODEL_SOURCE: .*takes no _Callable"):
        plugin.bundle(_Callable(), example_inputs=ROWS)
    with pytest.raises(WrongUseError, match="WRONG_LOADER: <built-in function len> is not a func"):
        user_code.loader_code(len)
    with pytest.raises(WrongUseError, match=r"WRONG_MODEL_SOURCE: .*'/none' does not exist"):
        plugin.bundle("/none", example_inputs=ROWS)


class _Callable:
    def __call__(self) -> object:
        return double


def test_a_plugin_must_be_importable() -> None:
    class Inner(sightline.Plugin):
        pass

    with pytest.raises(WrongUseError, match=r"WRONG_LOADER: the plugin .*Inner is defined in"):
        user_code.class_code(Inner)


def test_a_plugin_without_open_runs_only_loaders(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"1")
    with pytest.raises(WrongUseError, match=r"LOADER_FAILED: .*NotImplementedError: Unsaved\.open"):
        Unsaved().bundle(tmp_path / "weights.bin", example_inputs=ROWS)
    (tmp_path / "labels.txt").write_text("a")
    with pytest.raises(WrongUseError, match=r"WRONG_MODEL_SOURCE: a file .* named labels.txt"):
        Unsaved().bundle(tmp_path, inputs="float32[n]", outputs="float32[n]")


def test_code_is_a_module_a_package_or_a_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "single_file.py").write_text("def load(): return 1\n")
    (tmp_path / "whole_package").mkdir()
    (tmp_path / "whole_package" / "__init__.py").write_text("")
    (tmp_path / "whole_package" / "data.txt").write_text("x")
    (tmp_path / "bare_folder").mkdir()
    (tmp_path / "bare_folder" / "part.py").write_text("")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("zipped_code/__init__.py", "")
    import importlib

    for name in ("single_file", "whole_package", "bare_folder.part"):
        importlib.import_module(name)
    assert list(user_code.module_files("single_file")) == ["single_file.py"]
    package = ["whole_package/__init__.py", "whole_package/data.txt"]
    assert list(user_code.module_files("whole_package")) == package
    assert list(user_code.module_files("bare_folder.part")) == ["bare_folder/part.py"]
    assert user_code.module_files("numpy") == {}
    assert user_code.module_files("json") == {}
    assert user_code.module_files("sightline.api") == {}
    given: list[str | Path] = [
        tmp_path / "single_file.py",
        str(tmp_path / "whole_package"),
        tmp_path / "more.zip",
    ]
    assert sorted(user_code.given_files(given)) == [
        "single_file.py",
        "whole_package/__init__.py",
        "whole_package/data.txt",
        "zipped_code/__init__.py",
    ]
    monkeypatch.setattr(user_code, "_MOST_BYTES", 20)
    with pytest.raises(WrongUseError, match=r"WRONG_LOADER: .* at most 20 travel with a model"):
        user_code.given_files(given)
    for name in ("single_file", "whole_package", "bare_folder", "bare_folder.part"):
        del sys.modules[name]
