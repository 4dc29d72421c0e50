from __future__ import annotations

import pytest

from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.plugins.tensor_text import read_tensors, tensor_text


def test_a_text_is_a_dtype_with_a_shape() -> None:
    assert read_tensors("float32[n,4]", "input") == (TensorSpec("input", "float32", ("n", 4)),)
    assert read_tensors(" int64 [ batch , tokens, 3 ] ", "ids") == (
        TensorSpec("ids", "int64", ("n", "tokens", 3)),
    )
    assert read_tensors({"a": "bool[n]", "b": "uint8[n,2]"}, "input") == (
        TensorSpec("a", "bool", ("n",)),
        TensorSpec("b", "uint8", ("n", 2)),
    )


def test_the_text_of_a_tensor_is_read_again() -> None:
    (tensor,) = read_tensors("float32[n, tokens, 384]", "hidden")
    assert tensor_text(tensor) == "float32[n, tokens, 384]"
    assert read_tensors(tensor_text(tensor), "hidden") == (tensor,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("float32", "It must be a dtype and a shape, such as float32"),
        ("float33[n]", "Known dtypes: .*float32"),
        ("float32[4,4]", r"The first axis must be n \(the batch\)"),
        ("float32[n,0]", "lengths or names"),
        ("float32[]", "The first axis must be n"),
        ("float32[n,-1]", "lengths or names"),
    ],
)
def test_another_text_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(WrongUseError, match=f"WRONG_TENSOR_TEXT: tensor 'x': .*{problem}"):
        read_tensors({"x": text}, "input")


def test_a_model_without_tensors_is_refused() -> None:
    with pytest.raises(WrongUseError, match="WRONG_TENSOR_TEXT: a model needs at least one input"):
        read_tensors({}, "input")
