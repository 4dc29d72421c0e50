"""Reads weights without unpickling code."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from sightline.errors import WrongUseError

_CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict on the CPU. Every tensor is contiguous and has its own memory.

    Args:
        path: A .safetensors file, or a .pth or .pt file, which is read with `weights_only=True`.
            It contains the state dict, or a checkpoint with the entry `state_dict` or `model`.

    Raises:
        WrongUseError: UNSAFE_WEIGHTS if the file contains code; BAD_WEIGHTS if it is unreadable.
    """
    readers = {".safetensors": _safetensors, ".pth": _state_dict, ".pt": _state_dict}
    if path.suffix not in readers:
        raise _bad(path, "its name must end in .safetensors or .pth")
    if not path.is_file():
        raise _bad(path, "the file does not exist")
    tensors = readers[path.suffix](path)
    if all(name.startswith("module.") for name in tensors):  # written under DataParallel
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()}


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise _bad(path, f"it is not safetensors: {error}") from error


def _state_dict(path: Path) -> dict[str, torch.Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"names the code {found[1]}" if found else "holds more than tensors"
        raise WrongUseError(
            "UNSAFE_WEIGHTS",
            f"'{path}' {what}. No code was executed. Only plain tensors are read: save it again "
            "with torch.save(model.state_dict(), …), or as safetensors.",
        ) from error
    except Exception as error:  # a damaged file can raise any error, such as IndexError
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _bad(path, f"torch cannot read it: {first}") from error
    for key in _CHECKPOINT_KEYS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise _bad(path, f"it contains a {type(content).__name__}, not a state dict")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise _bad(path, f"its entry '{name}' is a {type(value).__name__}, not a tensor")
    return content


def _bad(path: Path, problem: str) -> WrongUseError:
    return WrongUseError("BAD_WEIGHTS", f"'{path}': {problem}.")
