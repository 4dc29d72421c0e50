import os
import pickle
from pathlib import Path

import pytest
import torch

from sightline.bundle.weights import read_weights
from sightline.errors import WrongUseError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Evil:
    """Writes a canary when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.canary),)


@pytest.mark.parametrize("writer", ["torch.save", "pickle.dump"])
def test_a_pth_that_contains_code_is_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    path, canary = tmp_path / "evil.pth", tmp_path / "canary"
    content = {"a.weight": torch.ones(1), "b": Evil(canary)}
    if writer == "torch.save":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))

    with pytest.raises(WrongUseError, match=r"(UNSAFE|BAD)_WEIGHTS: ") as error:
        read_weights(path)

    assert not canary.exists()
    assert "\n" not in str(error.value)


def test_the_error_for_a_pth_with_code_names_the_code(tmp_path: Path) -> None:
    torch.save({"b": Evil(tmp_path / "canary")}, tmp_path / "evil.pth")

    with pytest.raises(WrongUseError, match=r"UNSAFE_WEIGHTS: .* names the code posix\.mkdir"):
        read_weights(tmp_path / "evil.pth")


@pytest.mark.parametrize("key", ["state_dict", "model", None])
def test_a_state_dict_is_found_in_a_checkpoint(tmp_path: Path, key: str | None) -> None:
    content = {key: TENSORS, "epoch": 3} if key else TENSORS
    torch.save(content, tmp_path / "x.pth")

    found = read_weights(tmp_path / "x.pth")

    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in TENSORS.items()
    }


def test_tensors_are_contiguous_and_share_no_memory(tmp_path: Path) -> None:
    whole = torch.arange(6.0).reshape(2, 3)
    torch.save({"module.turned": whole.t(), "module.row": whole[0]}, tmp_path / "x.pth")

    found = read_weights(tmp_path / "x.pth")

    assert found["turned"].is_contiguous()
    assert found["row"].untyped_storage().nbytes() == 12


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.pth", b"rubbish", "torch cannot read it"),
        ("x.safetensors", b"rubbish", "it is not safetensors"),
        ("x.pkl", b"rubbish", r"must end in \.safetensors or \.pth"),
        ("x.pth", None, "the file does not exist"),
    ],
)
def test_an_unreadable_file_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(WrongUseError, match=f"_WEIGHTS: .*{problem}|UNSAFE_WEIGHTS"):
        read_weights(tmp_path / name)


def test_the_error_for_an_entry_that_is_not_a_tensor_has_its_name(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1), "epoch": 3}, tmp_path / "x.pth")

    with pytest.raises(WrongUseError, match=r"its entry 'epoch' is a int, not a tensor"):
        read_weights(tmp_path / "x.pth")
