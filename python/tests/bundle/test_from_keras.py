"""Keras models, converted on the torch backend and run by onnxruntime: its values are Keras's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.bundle.from_keras import from_keras
from sightline.errors import SightlineError, WrongUseError

from .conversions import assert_same, run, shapes

# Keras passes torch's tensors to numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def keras() -> Any:  # noqa: ANN401
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    keras.utils.set_random_seed(4)
    return keras


def digits(keras: Any) -> Any:  # noqa: ANN401
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="pixels"),
            keras.layers.Conv2D(6, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def test_a_file_of_images_with_channels_last(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    network = digits(keras)
    network.save(tmp_path / "digits.keras")
    model = from_keras(tmp_path / "digits.keras")
    assert shapes(model.onnx) == {"pixels": ["n", 8, 8, 1], "output": ["n", 10]}
    assert model.origin == f"Keras {keras.__version__} (torch backend), digits.keras"
    assert model.parameters == 6 * 9 + 6 + 3 * 3 * 6 * 10 + 10
    assert_same(model)
    other = np.random.default_rng(2).random((3, 8, 8, 1), np.float32)
    found = run(model.onnx, {"pixels": other})["output"]
    np.testing.assert_allclose(found, network.predict(other, verbose=0), atol=1e-5)


def test_channels_first(keras: Any) -> None:  # noqa: ANN401
    network = keras.Sequential(
        [
            keras.Input((2, 6, 5), name="planes"),
            keras.layers.Conv2D(3, 3, data_format="channels_first"),
            keras.layers.GlobalAveragePooling2D(data_format="channels_first"),
        ]
    )
    model = from_keras(network)
    assert shapes(model.onnx) == {"planes": ["n", 2, 6, 5], "output": ["n", 3]}
    assert_same(model)


def two_inputs(keras: Any) -> Any:  # noqa: ANN401
    left, right = keras.Input((4,), name="left"), keras.Input((None, 3), name="right")
    inner = keras.Sequential([keras.layers.Dense(5, activation="relu"), keras.layers.Dense(3)])
    joined = keras.layers.Concatenate()([inner(left), keras.layers.GlobalAveragePooling1D()(right)])
    outputs = {
        "score": keras.layers.Dense(2, activation="softmax")(joined),
        "vector": keras.layers.Dense(7)(joined),
    }
    return keras.Model({"left": left, "right": right}, outputs)


def test_a_nested_model_of_two_inputs_and_two_outputs(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    two_inputs(keras).save(tmp_path / "two.keras")
    model = from_keras(tmp_path / "two.keras")
    assert shapes(model.onnx) == {
        "left": ["n", 4],
        "right": ["n", "right_1", 3],
        "score": ["n", 2],
        "vector": ["n", 7],
    }
    assert_same(model)


def test_a_list_of_inputs_with_an_integer_one(keras: Any) -> None:  # noqa: ANN401
    words = keras.Input((5,), dtype="int32", name="words")
    numbers = keras.Input((2,), name="numbers")
    hidden = keras.layers.LSTM(4)(keras.layers.Embedding(20, 3)(words))  # (n, 4)
    outputs = [keras.layers.Concatenate()([hidden, numbers]), keras.layers.Dense(2)(hidden)]
    model = from_keras(keras.Model([words, numbers], outputs))
    assert model.inputs["words"].dtype == np.int32
    assert shapes(model.onnx) == {
        "words": ["n", 5],
        "numbers": ["n", 2],
        "output_0": ["n", 6],
        "output_1": ["n", 2],
    }
    assert_same(model)


def test_a_free_length_that_neither_exporter_keeps_is_refused(keras: Any) -> None:  # noqa: ANN401
    words = keras.Input((None,), dtype="int32", name="words")
    hidden = keras.layers.LSTM(4)(keras.layers.Embedding(20, 3)(words))
    with pytest.raises(SightlineError, match=r"\(words: axis 1\) fixed lengths in") as caught:
        from_keras(keras.Model(words, hidden))
    assert caught.value.code == "EXPORT_FAILED"


def test_a_sequence_of_any_length(keras: Any) -> None:  # noqa: ANN401
    words = keras.Input((None, 8), name="words")
    network = keras.Model(words, keras.layers.MultiHeadAttention(2, 4)(words, words))
    model = from_keras(network)
    assert shapes(model.onnx) == {"words": ["n", "words_1", 8], "output": ["n", "words_1", 8]}
    assert_same(model)
    other = np.random.default_rng(2).random((2, 31, 8), np.float32)
    found = run(model.onnx, {"words": other})["output"]
    np.testing.assert_allclose(found, network.predict(other, verbose=0), atol=1e-5)


def test_images_of_any_height_and_width(keras: Any) -> None:  # noqa: ANN401
    network = keras.Sequential(
        [
            keras.Input((None, None, 3), name="picture"),
            keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        ]
    )
    model = from_keras(network)
    assert shapes(model.onnx)["picture"] == ["n", "picture_1", "picture_2", 3]
    assert_same(model)
    other = np.random.default_rng(2).random((2, 12, 34, 3), np.float32)
    found = run(model.onnx, {"picture": other})["output"]
    np.testing.assert_allclose(found, network.predict(other, verbose=0), atol=1e-5)


def test_a_batch_fixed_at_one_has_one_row(keras: Any) -> None:  # noqa: ANN401
    network = keras.Sequential([keras.Input(batch_shape=(1, 3), name="x"), keras.layers.Dense(2)])
    model = from_keras(network)
    assert shapes(model.onnx) == {"x": [1, 3], "output": [1, 2]}
    assert len(model.inputs["x"]) == 1
    assert_same(model)


def test_a_batch_fixed_at_seven_is_refused(keras: Any) -> None:  # noqa: ANN401
    network = keras.Sequential([keras.Input(batch_shape=(7, 3), name="x"), keras.layers.Dense(2)])
    with pytest.raises(WrongUseError, match=r"x: 7.*without batch_size") as caught:
        from_keras(network)
    assert caught.value.code == "FIXED_BATCH"


def test_a_half_precision_model(keras: Any) -> None:  # noqa: ANN401
    network = keras.Sequential(
        [
            keras.Input((6,), dtype="float16", name="x"),
            keras.layers.Dense(8, activation="relu", dtype="float16"),
            keras.layers.Dense(2, dtype="float16"),
        ]
    )
    model = from_keras(network)
    assert model.inputs["x"].dtype == np.float16
    assert model.outputs["output"].dtype == np.float16
    assert_same(model, within=5e-3)


def test_a_class_of_its_own_in_memory(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    class Doubled(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="doubled")
            self.inner = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:  # noqa: ANN401
            return self.inner(x) * 2

    network = Doubled()
    with pytest.raises(SightlineError, match=r"it was never called\. Call it once") as caught:
        from_keras(network)
    assert caught.value.code == "EXPORT_FAILED"
    network(np.zeros((1, 3), np.float32))
    model = from_keras(network)
    assert shapes(model.onnx) == {"input_0": ["n", 3], "output": ["n", 2]}
    assert_same(model)
    # Its file names a class that another process does not know.
    network.save(tmp_path / "doubled.keras")
    code = (
        "import sys; from pathlib import Path\n"
        "from sightline.bundle.from_keras import from_keras\n"
        "try: from_keras(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = in_new_process(code, tmp_path / "doubled.keras")
    assert done.stdout.startswith("BAD_MODEL_FILE: "), done.stderr
    assert "it has a class of its own" in done.stdout


def in_new_process(code: str, *args: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code, *map(str, args)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "python/src")} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_lambda_layer_is_refused_and_not_executed(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    network = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    network.save(tmp_path / "code.keras")
    with pytest.raises(WrongUseError, match=r"layer with Python code.*Nothing of it") as caught:
        from_keras(tmp_path / "code.keras")
    assert caught.value.code == "UNSAFE_MODEL"


def test_a_legacy_h5_file(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    network = digits(keras)
    network.save(tmp_path / "digits.h5")
    model = from_keras(tmp_path / "digits.h5")
    found = run(model.onnx, model.inputs)["output"]
    expected = network.predict(next(iter(model.inputs.values())), verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    code = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    code.save(tmp_path / "code.h5")
    with pytest.raises(WrongUseError, match="layer with Python code") as caught:
        from_keras(tmp_path / "code.h5")
    assert caught.value.code == "UNSAFE_MODEL"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.keras", None, "does not exist"),
        ("text.keras", b"text", "damaged, or not a file of model.save"),
        ("text.h5", b"text", "cannot read it"),
        ("model.bin", b"text", r"must end in \.keras or \.h5"),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongUseError, match=reason) as caught:
        from_keras(tmp_path / name)
    assert caught.value.code == "BAD_MODEL_FILE"


def test_another_object_is_refused() -> None:
    with pytest.raises(WrongUseError, match=r"a builtins\.dict is not a keras\.Model") as caught:
        from_keras({})
    assert caught.value.code == "BAD_MODEL_FILE"


def test_nan_is_refused(keras: Any) -> None:  # noqa: ANN401
    inputs = keras.Input((3,), name="x")
    network = keras.Model(inputs, keras.ops.log(-keras.ops.abs(inputs) - 1.0))
    with pytest.raises(WrongUseError, match="gives NaN in its output 'output'") as caught:
        from_keras(network)
    assert caught.value.code == "NOT_FINITE"


def test_another_backend_in_this_process_is_refused(
    keras: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The other backends' packages are not installed beside torch.
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(WrongUseError, match=r"runs Keras on jax.*KERAS_BACKEND=torch") as caught:
        from_keras(digits(keras))
    assert caught.value.code == "WRONG_KERAS_BACKEND"


@pytest.mark.slow
def test_inception_v3(keras: Any, tmp_path: Path) -> None:  # noqa: ANN401
    network = keras.applications.InceptionV3(weights=None, input_shape=(139, 139, 3), classes=17)
    network.save(tmp_path / "inception.keras")
    model = from_keras(tmp_path / "inception.keras")
    (name,) = model.inputs
    assert shapes(model.onnx) == {name: ["n", 139, 139, 3], "output": ["n", 17]}
    assert model.parameters > 21_000_000
    assert_same(model)
