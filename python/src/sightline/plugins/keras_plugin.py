"""The plugin of Keras 3: a model, a ``.keras`` file, or a loader."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec
from sightline.plugins.converting_plugin import ConvertingPlugin
from sightline.plugins.model_options import ModelOptions, require_options
from sightline.plugins.model_summary import Layer, ModelSummary


class KerasPlugin(ConvertingPlugin):
    """Models of Keras 3, on its torch backend; no TensorFlow is needed.

    A model or a file becomes an ONNX graph. A loader runs in Keras in the workers, which needs
    `allow_code`.
    """

    name = "keras"
    package = "keras"
    kinds = "a keras.Model, a .keras file"
    suffixes = (".keras", ".h5")

    def require_framework(self) -> None:
        """See `ConvertingPlugin.require_framework`. Keras chooses its backend at its import."""
        os.environ.setdefault("KERAS_BACKEND", "torch")
        super().require_framework()

    def model_summary(self, m: object, **options: Unpack[ModelOptions]) -> ModelSummary:
        """See `Plugin.model_summary`."""
        options = require_options(options, call=False)
        if self.is_served(m):
            return super().model_summary(m, **options)
        self.require_framework()
        import keras

        from sightline.bundle.from_keras import read_keras

        model = read_keras(Path(m)) if isinstance(m, str | Path) else m
        if not isinstance(model, keras.Model):
            raise self.not_a_model(m)
        if not getattr(model, "inputs", None):
            # A class of its own: its inputs are known from a call, and its layers from the graph.
            name = options.get("name") or str(model.name)
            return super().model_summary(m, **(options | {"name": name}))
        return ModelSummary(
            options.get("name") or (Path(m).stem if isinstance(m, str | Path) else model.name),
            f"Keras {keras.__version__}, {type(model).__name__}",
            model.count_params(),
            tuple(map(_tensor, model.inputs)),
            tuple(
                TensorSpec(name, str(one.dtype), _axes(one.shape))
                for name, one in zip(_names(keras, model), model.outputs, strict=True)
            ),
            tuple(self.layers(model)),
        )

    def run(self, model: Any, inputs: Mapping[str, Array]) -> object:  # noqa: ANN401
        """Call the model that a loader returned: one array, or a list of them."""
        arrays = list(inputs.values())
        found: object = model(arrays[0] if len(arrays) == 1 else arrays, training=False)
        return tuple(found) if isinstance(found, list) else found

    def layers(self, model: Any) -> Sequence[Layer]:  # noqa: ANN401
        """Return the layers of the model."""
        return [
            Layer(one.name, type(one).__name__, _output(one), one.count_params())
            for one in model.layers
        ]


def _tensor(tensor: Any) -> TensorSpec:  # noqa: ANN401 - a KerasTensor
    return TensorSpec(tensor.name, str(tensor.dtype), _axes(tensor.shape))


def _names(keras: Any, model: Any) -> list[str]:  # noqa: ANN401
    """Return the names of the outputs as the converted model has them."""
    from sightline.bundle.keras_graph import keras_outputs

    structure = getattr(model, "_outputs_struct", model.outputs)
    if len(model.outputs) == 1 and not isinstance(structure, Mapping):
        structure = model.outputs[0]  # Keras unpacks a list of one output
    return keras_outputs(keras, structure)


def _axes(shape: Sequence[int | None]) -> tuple[int | str, ...]:
    return tuple(axis or ("n" if at == 0 else "?") for at, axis in enumerate(shape))


def _output(layer: Any) -> str:  # noqa: ANN401
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):  # never called, or several outputs
        return ""
    return f"({', '.join(map(str, _axes(shape)))})"
