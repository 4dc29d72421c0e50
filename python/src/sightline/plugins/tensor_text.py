"""Reads the short text of a tensor: `float32[n, 4]`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sightline.bundle.tensor_spec import DTYPES, TensorSpec
from sightline.errors import WrongUseError

_TEXT = re.compile(r"\s*(\w+)\s*\[([^\]]*)\]\s*")
_AXIS = re.compile(r"[A-Za-z_]\w*|[1-9]\d*")

TensorTexts = str | Mapping[str, str]
"""The tensors of a model: a text by name, or one text for a single tensor."""


def read_tensors(texts: TensorTexts, default: str) -> tuple[TensorSpec, ...]:
    """Return the tensors that the texts describe, in their order.

    Args:
        texts: Such as ``"float32[n,4]"`` or ``{"ids": "int64[n,tokens]"}``. The first axis is the
            batch. A word is the name of an axis without a fixed length.
        default: Name of the tensor if `texts` is one text.

    Raises:
        WrongUseError: WRONG_TENSOR_TEXT.
    """
    named = {default: texts} if isinstance(texts, str) else dict(texts)
    if not named:
        raise WrongUseError("WRONG_TENSOR_TEXT", f"a model needs at least one {default}.")
    return tuple(read_tensor_text(name, text) for name, text in named.items())


def read_tensor_text(name: str, text: str) -> TensorSpec:
    """Return the tensor that a text describes.

    Raises:
        WrongUseError: WRONG_TENSOR_TEXT.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise _wrong(name, text, "It must be a dtype and a shape")
    dtype, axes = found[1], [axis.strip() for axis in found[2].split(",")]
    if dtype not in DTYPES:
        raise _wrong(name, text, f"Known dtypes: {', '.join(DTYPES)}; it must be like them")
    if not all(map(_AXIS.fullmatch, axes)) or axes[0].isdecimal():
        raise _wrong(
            name, text, "The first axis must be n (the batch), the others lengths or names"
        )
    return TensorSpec(name, dtype, ("n", *(int(a) if a.isdecimal() else a for a in axes[1:])))


def tensor_text(tensor: TensorSpec) -> str:
    """Return the short text of a tensor's dtype and shape."""
    return f"{tensor.dtype}[{', '.join(map(str, tensor.shape))}]"


def _wrong(name: str, text: str, problem: str) -> WrongUseError:
    return WrongUseError(
        "WRONG_TENSOR_TEXT", f"tensor '{name}': '{text}'. {problem}, such as float32[n,4]."
    )
