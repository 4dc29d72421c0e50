"""`sightline models add` of models of torch and Keras, and their rows through the engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from sklearn.datasets import load_digits
from torch.export import Dim

import sightline
from sightline.cli.models import models
from sightline.errors import SightlineError

# Keras passes torch's tensors to numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models, [str(one) for one in arguments])


def lines(result: Result) -> list[str]:
    """What was printed after the line with the bundle's folder."""
    assert result.exit_code == 0, result.exception
    return result.stdout.splitlines()[1:]


class Words(torch.nn.Module):
    """Scores of each token, and their mean under a mask."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.table = torch.nn.Embedding(30, 8)
        self.score = torch.nn.Linear(8, 3)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        scores = self.score(self.table(tokens))  # (n, length, 3)
        return {"scores": scores, "mean": (scores * mask[:, :, None]).mean(1)}


def test_a_program_of_torch_runs_rows_of_any_length(tmp_path: Path) -> None:
    rows, length = Dim("rows"), Dim("length")
    program = torch.export.export(
        Words().eval(),
        (torch.tensor([[1, 2, 29], [3, 4, 5]]), torch.rand(2, 3)),
        dynamic_shapes={"tokens": {0: rows, 1: length}, "mask": {0: rows, 1: length}},
    )
    torch.export.save(program, tmp_path / "words.pt2")
    result = call("add", "words", "--torch-export", tmp_path / "words.pt2", "--models", tmp_path)
    assert lines(result) == [
        "input tokens: int64 (n, tokens_1), tensor",
        "input mask: float32 (n, tokens_1), tensor",
        "output scores: float32 (n, tokens_1, 3), tensor",
        "output mean: float32 (n, 3), vector",
    ]
    tokens = [[7, 1], [29, 0, 3, 4, 11], [7, 8]]
    mask = [[1.0, 0.5], [0.0, 1.0, 1.0, 0.25, 1.0], [1.0, 1.0]]
    found = sightline.load("words", models=tmp_path).run({"tokens": tokens, "mask": mask})
    for row, one, other in zip(found, tokens, mask, strict=True):
        assert isinstance(row, dict)
        with torch.inference_mode():
            expected = Words()(torch.tensor([one]), torch.tensor([other]))
        for name, value in expected.items():
            np.testing.assert_allclose(row[name], value[0].numpy(), atol=1e-5)


class Halved(torch.nn.Module):
    """Convolves each second pixel, and keeps half of the columns."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.inner = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        pixels: torch.Tensor = self.inner(picture)
        return pixels[:, :, :, : picture.shape[3] // 4]


def test_a_program_in_memory_whose_lengths_are_computed(tmp_path: Path) -> None:
    program = torch.export.export(
        Halved().eval(),
        (torch.rand(2, 3, 16, 24),),
        dynamic_shapes=({0: Dim("rows"), 2: Dim.AUTO, 3: Dim.AUTO},),
    )
    # The file has the computed lengths as expressions, which are plain mathematics.
    torch.export.save(program, tmp_path / "halved.pt2")
    sources: tuple[object, ...] = (program, tmp_path / "halved.pt2")
    picture = np.random.default_rng(0).random((3, 13, 42), np.float32)
    with torch.inference_mode():
        expected = Halved()(torch.from_numpy(picture)[None])[0].numpy()
    assert expected.shape == (4, 7, 10)
    for source in sources:
        path = sightline.add_model(source, "halved", models=tmp_path / "models", overwrite=True)
        (row,) = sightline.load(path).run({"picture": [picture]})
        assert isinstance(row, dict)
        np.testing.assert_allclose(row["output"], expected, atol=1e-5)


def test_a_program_of_one_row_runs_row_by_row(tmp_path: Path) -> None:
    torch.manual_seed(8)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 2)).eval()
    torch.export.save(torch.export.export(network, (torch.ones(1, 2, 3),)), tmp_path / "one.pt2")
    lines(call("add", "one", "--torch-export", tmp_path / "one.pt2", "--models", tmp_path))
    values = np.random.default_rng(0).random((5, 2, 3), np.float32)
    found = sightline.load("one", models=tmp_path).run({"input": values})
    with torch.inference_mode():
        expected = network(torch.from_numpy(values)).numpy()
    np.testing.assert_allclose([row["output"] for row in found], expected, atol=1e-5)  # type: ignore[index]


def test_weights_with_an_example_for_each_input(tmp_path: Path) -> None:
    linear = torch.nn.Linear(3, 2)
    torch.save(linear.state_dict(), tmp_path / "linear.pth")
    given = ("--weights", tmp_path / "linear.pth", "--models", tmp_path)
    architecture = ("--architecture", "torch.nn:Linear", "--architecture-arguments")
    sizes = json.dumps({"in_features": 3, "out_features": 2})
    result = call("add", "linear", *given, *architecture, sizes, "--example", "input=float32[n,3]")
    assert lines(result) == [
        "input input: float32 (n, 3), tensor",
        "output output: float32 (n, 2), vector",
    ]
    (row,) = sightline.load("linear", models=tmp_path).run({"input": [[1, 2, 3]]})
    assert isinstance(row, dict)
    expected = linear(torch.tensor([1.0, 2.0, 3.0])).detach().numpy()
    np.testing.assert_allclose(row["output"], expected, atol=1e-5)
    alone = call("add", "alone", "--torch-export", tmp_path / "linear.pth", "--models", tmp_path)
    assert isinstance(alone.exception, SightlineError)
    assert alone.exception.code == "NO_SOURCE"
    assert not (tmp_path / "alone").exists()


def test_digits_trained_in_keras_have_its_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    keras.utils.set_random_seed(5)
    images, labels = load_digits(return_X_y=True)
    pixels = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    test = np.arange(len(labels)) % 4 == 0
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="pixels"),
            keras.layers.Conv2D(12, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    network.fit(pixels[~test], labels[~test], epochs=2, batch_size=32, verbose=0)
    network.save(tmp_path / "digits.keras")
    (tmp_path / "digits.txt").write_text("".join(f"digit {k}\n" for k in range(10)))
    result = call(
        *("add", "digits", "--keras", tmp_path / "digits.keras"),
        *("--labels", tmp_path / "digits.txt", "--models", tmp_path),
    )
    assert lines(result) == [
        "input pixels: float32 (n, 8, 8, 1), tensor",
        "output output: float32 (n, 10), classes",
    ]
    found = sightline.load("digits", models=tmp_path).run({"pixels": pixels[test]})
    scores = np.stack([row["output"] for row in found])  # type: ignore[index]
    expected = network.predict(pixels[test], verbose=0)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    accuracy = (scores.argmax(1) == labels[test]).mean()
    assert accuracy == (expected.argmax(1) == labels[test]).mean() > 0.85
    # The same model in memory.
    path = sightline.add_model(
        network, "again", models=tmp_path, labels=[f"digit {k}" for k in range(10)]
    )
    again = sightline.load(path).run({"pixels": pixels[test][:3]})
    np.testing.assert_allclose([row["output"] for row in again], expected[:3], atol=1e-5)  # type: ignore[index]
