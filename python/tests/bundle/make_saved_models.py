# mypy: disable-error-code="untyped-decorator"
"""Makes the SavedModels of test_from_saved_model.py: run in TensorFlow's interpreter, which has
neither pytest nor Sightline. Arguments: the digits (.npz) and a folder for the models."""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

digits, folder = np.load(sys.argv[1]), Path(sys.argv[2])
keras.utils.set_random_seed(6)

# Digits, trained for eight epochs, with TensorFlow's own predictions and accuracy.
network = keras.Sequential(
    [
        keras.Input((8, 8, 1), name="pixels"),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax", name="digit"),
    ]
)
network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
network.fit(digits["train_x"], digits["train_y"], epochs=8, batch_size=32, verbose=0)
scores = network.predict(digits["test_x"], verbose=0)
np.save(folder / "scores.npy", scores)
accuracy = float((scores.argmax(1) == digits["test_y"]).mean())
(folder / "accuracy.json").write_text(json.dumps(accuracy))
network.export(folder / "digits", verbose=False)
network.save(folder / "digits.keras")

# Two inputs and two outputs.
a, b = keras.Input((4,), name="a"), keras.Input((None, 3), name="b")
joined = keras.layers.Concatenate()([a, keras.layers.GlobalAveragePooling1D()(b)])
two = keras.Model([a, b], [keras.layers.Dense(2)(joined), keras.layers.Dense(5)(joined)])
two.export(folder / "two", verbose=False)


class Functions(tf.Module):  # type: ignore[misc]
    """Functions that are not Keras's: a batch of one, half precision, text, a batch of seven."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.random.normal((3, 2), seed=1))

    @tf.function(input_signature=[tf.TensorSpec((1, None, 3), tf.float32, name="x")])
    def one(self, x: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"y": tf.matmul(x, self.weight[None])}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float16, name="x")])
    def half(self, x: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"y": tf.matmul(x, tf.cast(self.weight, tf.float16))}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32, name="x")])
    def text(self, x: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"y": tf.as_string(x)}

    @tf.function(input_signature=[tf.TensorSpec((7, 3), tf.float32, name="x")])
    def seven(self, x: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"y": tf.matmul(x, self.weight)}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32, name="x")])
    def nan(self, x: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"y": tf.math.log(-tf.abs(x) - 1.0)}


functions = Functions()
signatures = {name: getattr(functions, name) for name in ("one", "half", "text", "seven", "nan")}
tf.saved_model.save(functions, str(folder / "functions"), signatures=signatures)
