"""Files of torch.export that are refused before torch reads them."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.export import Dim

from sightline.bundle.from_torch_export import (
    from_torch_export,
    from_torch_module,
)
from sightline.errors import WrongUseError

from .exported_files import save


class Touch:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def linear(path: Path) -> Path:
    return save(path, torch.nn.Linear(3, 2), torch.ones(2, 3), dynamic_shapes=({0: Dim("n")},))


def changed(path: Path, entry: str, old: str, new: str) -> Path:
    """A copy with one replacement in one entry."""
    copy = path.with_name("changed.pt2")
    hits = 0
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(entry):
                hits += content.count(old.encode())
                content = content.replace(old.encode(), new.encode())
            target.writestr(name, content)
    assert hits > 0, f"{old} is not in {entry}"
    return copy


@pytest.mark.parametrize(
    ("entry", "old", "new", "reason"),
    [
        (
            "models/model.json",
            "torch.ops.aten.linear.default",
            "torch.os.system",
            r"its graph calls 'torch\.os\.system'",
        ),
        (
            "models/model.json",
            "torch.ops.aten.linear.default",
            "torch.ops.aten.save",
            r"its graph calls 'torch\.ops\.aten\.save'",
        ),
        (
            "models/model.json",
            "torch.ops.aten.linear.default",
            "torch.ops.higher_order.call_torchbind",
            r"its graph calls 'torch\.ops\.higher_order\.call_torchbind'",
        ),
        (
            "models/model.json",
            "torch.ops.aten.linear.default",
            "torch.ops.load_library.__call__",
            "its graph calls",
        ),
        (
            "weights/model_weights_config.json",
            '"use_pickle": false',
            '"use_pickle": true',
            "names a pickled tensor",
        ),
        (
            "weights/model_weights_config.json",
            '"weight_0"',
            '"opaque_obj_0"',
            "'opaque_obj_0', which is pickled",
        ),
        (
            "models/model.json",
            '"expr_str": "',
            "\"expr_str\": \"__import__('os').system('true') + ",
            "the expression",
        ),
        (
            "models/model.json",
            '"expr_str": "',
            '"expr_str": "exec(chr(49)) + ',
            "the expression",
        ),
    ],
)
def test_code_in_a_program_is_refused(
    tmp_path: Path, entry: str, old: str, new: str, reason: str
) -> None:
    path = changed(linear(tmp_path / "linear.pt2"), entry, old, new)
    with pytest.raises(WrongUseError, match=reason) as caught:
        from_torch_export(path)
    assert caught.value.code == "UNSAFE_MODEL"


class Filled(torch.nn.Module):
    """Writes into a tensor of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        own = torch.zeros([8], dtype=torch.uint8)
        return x + own.fill_(65).sum()


def test_a_program_cannot_write_a_file(tmp_path: Path) -> None:
    path = save(
        tmp_path / "filled.pt2", Filled(), torch.ones(2, 3), dynamic_shapes=({0: Dim("n")},)
    )
    with zipfile.ZipFile(path) as archive:
        (entry,) = (name for name in archive.namelist() if name.endswith("models/model.json"))
        program = json.loads(archive.read(entry))
    (node,) = (
        one for one in program["graph_module"]["graph"]["nodes"] if "aten.zeros" in one["target"]
    )
    old, trace = json.dumps(node), tmp_path / "written"
    node["target"] = "torch.ops.aten.from_file.default"
    node["inputs"] = [
        {"name": "filename", "arg": {"as_string": str(trace)}, "kind": 1},
        {"name": "shared", "arg": {"as_bool": True}, "kind": 1},
        {"name": "size", "arg": {"as_int": 8}, "kind": 1},
        {"name": "dtype", "arg": {"as_scalar_type": 1}, "kind": 2},
    ]
    copy = changed(path, "models/model.json", old, json.dumps(node))
    with pytest.raises(
        WrongUseError, match=r"its graph calls 'torch\.ops\.aten\.from_file"
    ) as caught:
        from_torch_export(copy)
    assert caught.value.code == "UNSAFE_MODEL"
    assert not trace.exists()
    # It would have been written: torch runs the operation.
    torch.export.load(copy).module()(torch.ones(2, 3))
    assert trace.read_bytes() == b"A" * 8


def test_pickled_example_inputs_are_not_unpickled(tmp_path: Path) -> None:
    path, trace = linear(tmp_path / "linear.pt2"), tmp_path / "executed"
    torch.save((Touch(trace),), tmp_path / "evil.pt")
    copy = tmp_path / "copy.pt2"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            evil = "/sample_inputs/" in name
            content = (tmp_path / "evil.pt").read_bytes() if evil else source.read(name)
            target.writestr(name, content)
    with pytest.raises(WrongUseError, match="example inputs are pickled objects") as caught:
        from_torch_export(copy)
    assert caught.value.code == "UNSAFE_MODEL"
    assert not trace.exists()
    # It would have been unpickled: torch's own reader does.
    torch.export.load(copy)
    assert trace.exists()


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = linear(tmp_path / "linear.pt2")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("linear/MODELS/model.json", json.dumps({}))
    with pytest.raises(WrongUseError, match="two entries of one name") as caught:
        from_torch_export(path)
    assert caught.value.code == "UNSAFE_MODEL"


def test_torchscript_is_refused_with_what_to_save(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, that TorchScript is deprecated
        scripted = torch.jit.trace(torch.nn.Linear(3, 2), torch.ones(1, 3))  # type: ignore[no-untyped-call]
        torch.jit.save(scripted, tmp_path / "old.pt")
    with pytest.raises(WrongUseError, match=r"it is TorchScript.*torch\.export\.save") as caught:
        from_torch_module(scripted, [torch.ones(1, 3)])
    assert caught.value.code == "BAD_MODEL_FILE"
    with pytest.raises(WrongUseError, match=r"it is TorchScript.*torch\.export\.save") as caught:
        from_torch_export(tmp_path / "old.pt")
    assert caught.value.code == "BAD_MODEL_FILE"


def test_weights_alone_are_no_network(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "weights.pth")
    with pytest.raises(WrongUseError, match=r"without a network.*--architecture") as caught:
        from_torch_export(tmp_path / "weights.pth")
    assert caught.value.code == "NO_SOURCE"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "does not exist"),
        (b"text", "damaged, or not a file of torch.export"),
        (pickle.dumps(1), "damaged, or not a file of torch.export"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "model.pt2"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WrongUseError, match=reason) as caught:
        from_torch_export(path)
    assert caught.value.code == "BAD_MODEL_FILE"
