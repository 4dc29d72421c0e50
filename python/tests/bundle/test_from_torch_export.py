"""Networks of torch, converted and run by onnxruntime: its values are torch's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.export import Dim

from sightline.bundle.example_input import ExampleInput, read_example
from sightline.bundle.from_torch_export import (
    from_torch_export,
    from_torch_module,
    from_torch_weights,
)
from sightline.errors import SightlineError, WrongUseError

from .conversions import assert_same, run, shapes
from .exported_files import save


class Words(torch.nn.Module):
    """Tokens and an image to a score for each token, a map of the image, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.table = torch.nn.Embedding(30, 8)
        self.score = torch.nn.Linear(8, 3)
        self.map = torch.nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, tokens: torch.Tensor, image: torch.Tensor) -> dict[str, torch.Tensor]:
        words = self.table(tokens)  # (n, tokens, 8)
        return {
            "words": self.score(words),
            "map": self.map(image),
            "mean": self.score(words.mean(1)).softmax(1),
        }


def test_a_program_keeps_its_free_axes_and_the_names_of_its_tensors(tmp_path: Path) -> None:
    rows = Dim("rows")
    path = save(
        tmp_path / "words.pt2",
        Words(),
        torch.tensor([[1, 2, 29, 4, 5], [6, 7, 8, 9, 0]]),
        torch.rand(2, 3, 16, 20),
        dynamic_shapes={
            "tokens": {0: rows, 1: Dim("length", min=2, max=64)},
            "image": {0: rows, 2: Dim.AUTO, 3: Dim.AUTO},
        },
    )
    model = from_torch_export(path)
    assert shapes(model.onnx) == {
        "tokens": ["n", "tokens_1"],
        "image": ["n", 3, "image_2", "image_3"],
        "words": ["n", "tokens_1", 3],
        "map": ["n", 4, "image_2", "image_3"],
        "mean": ["n", 3],
    }
    # The test values have the lengths and the largest integer of the file's own example.
    assert {name: value.shape for name, value in model.inputs.items()} == {
        "tokens": (4, 5),
        "image": (4, 3, 16, 20),
    }
    assert model.inputs["tokens"].min() >= 0
    assert 1 < model.inputs["tokens"].max() <= 29
    assert model.parameters == 30 * 8 + 8 * 3 + 3 + 4 * 3 * 9 + 4
    assert model.origin == f"torch {torch.__version__.partition('+')[0]}, words.pt2"
    assert_same(model)
    other = {
        "tokens": np.array([[3, 1, 2, 9, 5, 7, 11]]),
        "image": np.random.default_rng(1).random((1, 3, 9, 33), np.float32),
    }
    found = run(model.onnx, other)
    with torch.inference_mode():
        expected = Words()(*(torch.from_numpy(one) for one in other.values()))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value.numpy(), atol=1e-5)


def test_a_batch_fixed_at_one_has_one_row_of_test_values(tmp_path: Path) -> None:
    model = from_torch_export(save(tmp_path / "one.pt2", torch.nn.Linear(3, 2), torch.ones(1, 3)))
    assert shapes(model.onnx) == {"input": [1, 3], "output": [1, 2]}
    assert {name: len(value) for name, value in model.inputs.items()} == {"input": 1}
    assert_same(model)


def test_a_batch_fixed_at_five_is_refused_with_what_to_export(tmp_path: Path) -> None:
    path = save(tmp_path / "five.pt2", torch.nn.Linear(3, 2), torch.ones(5, 3))
    with pytest.raises(WrongUseError, match=r"input: 5.*torch\.export\.Dim") as caught:
        from_torch_export(path)
    assert caught.value.code == "FIXED_BATCH"


def test_a_half_precision_network_stays_one(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    model = from_torch_module(network.half(), [torch.ones(2, 6, dtype=torch.float16)], "half")
    assert model.inputs["input"].dtype == np.float16
    assert model.outputs["output"].dtype == np.float16
    assert_same(model, within=5e-3)


def test_bfloat16_is_refused_with_what_to_do() -> None:
    with pytest.raises(SightlineError, match=r"input 'input' is bfloat16; cast it to float32"):
        from_torch_module(torch.nn.Linear(2, 2).bfloat16(), [torch.ones(2, 2).bfloat16()])


def test_a_module_in_memory_takes_named_axes_and_keeps_its_mode() -> None:
    network = Words().train()
    examples = {
        "tokens": read_example("tokens=int64[n,length]"),
        "image": read_example("image=float32[n, 3, height, width]"),
    }
    model = from_torch_module(network, examples)
    assert network.training
    assert shapes(model.onnx)["words"] == ["n", "length", 3]
    assert shapes(model.onnx)["map"] == ["n", 4, "height", "width"]
    assert model.origin.endswith(", Words")
    assert_same(model)


class Flipped(torch.nn.Module):
    """A tuple of outputs, one of them of the input's own name, and integers."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.flip(1), x.argmax(1)


def test_outputs_of_a_tuple_are_numbered() -> None:
    model = from_torch_module(Flipped(), [torch.rand(1, 4)])
    assert shapes(model.onnx) == {"x": ["n", 4], "output_0": ["n", 4], "output_1": ["n"]}
    assert_same(model)


class OneRow(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(1, 6) * 2


def test_a_network_of_one_row_alone_is_exported_for_one() -> None:
    model = from_torch_module(OneRow(), [torch.rand(1, 2, 3)])
    assert shapes(model.onnx) == {"x": [1, 2, 3], "output": [1, 6]}
    assert_same(model)


class Scrambled(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(0)


def test_rows_that_depend_on_the_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SightlineError, match="same row in another batch") as caught:
        from_torch_module(Scrambled(), [torch.rand(2, 3)])
    assert caught.value.code == "EXPORT_FAILED"
    dropout = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.Dropout(0.5)).train()
    program = torch.export.export(
        dropout, (torch.ones(2, 3),), dynamic_shapes=({0: Dim("n")},), strict=False
    )
    torch.export.save(program, tmp_path / "dropout.pt2")
    with pytest.raises(SightlineError, match=r"Export it after network\.eval\(\)"):
        from_torch_export(tmp_path / "dropout.pt2")


def test_nan_is_refused() -> None:
    class Bad(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.log(-x.abs() - 1)

    with pytest.raises(WrongUseError, match="gives NaN in its output 'output'") as caught:
        from_torch_module(Bad(), [torch.rand(2, 3)])
    assert caught.value.code == "NOT_FINITE"


def test_weights_and_an_architecture_of_tensors(networks: None, tmp_path: Path) -> None:
    from sightline.backends.architecture import build_architecture

    torch.manual_seed(11)
    network = build_architecture("tiny_networks:two_layers", {"classes": 5}, allow_code=True)
    torch.save(network.state_dict(), tmp_path / "tiny.pth")
    model = from_torch_weights(
        tmp_path / "tiny.pth",
        "tiny_networks:two_layers",
        {"classes": 5},
        [ExampleInput("input", "float32", ("n", 3, 16, 12))],
    )
    value = model.inputs["input"]
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(value)).numpy()
    np.testing.assert_allclose(run(model.onnx, model.inputs)["output"], expected, atol=1e-5)


def test_an_example_of_an_unknown_input_names_the_inputs() -> None:
    with pytest.raises(WrongUseError, match="inputs: tokens, image") as caught:
        from_torch_module(Words(), [read_example("words=int64[n,5]")])
    assert caught.value.code == "INVALID_OPTION"


@pytest.mark.parametrize(
    "text", ["tokens", "x=float32", "x=complex64[n,2]", "x=float32[2,n]", "x=float32[n,0]"]
)
def test_a_wrong_example_names_the_form(text: str) -> None:
    with pytest.raises(WrongUseError, match="--example is") as caught:
        read_example(text)
    assert caught.value.code == "INVALID_OPTION"
