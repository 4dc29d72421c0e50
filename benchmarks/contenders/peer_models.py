"""The models of the PySpark contenders, in a module that Spark's workers import."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from plain import Floats, Recipe, infer

Logits = Callable[[list[bytes]], Floats]


def open_onnx(model: str) -> tuple[Recipe, Logits]:
    """Open a model in onnxruntime with its default options."""
    recipe = Recipe(model)
    session = recipe.session(None)
    return recipe, lambda contents: infer(session, [recipe.pixels(c) for c in contents])


def open_tuned(model: str, rows: int) -> tuple[Recipe, Logits]:
    """Open a model in onnxruntime with one thread, batches of `rows`, and the cheap decoding."""
    recipe = Recipe(model)
    session = recipe.session(1)
    return recipe, lambda contents: infer(session, [recipe.tuned_pixels(c) for c in contents], rows)


def open_torch(model: str) -> tuple[Recipe, Logits]:
    """Open the same network in PyTorch as in its documentation: eager, default threads."""
    import json

    import timm
    import torch
    from safetensors.torch import load_file

    recipe = Recipe(model)
    manifest = json.loads((Path(model) / "model.json").read_text("utf-8"))
    variant = manifest["variants"]["pytorch"]
    network = timm.create_model(variant["architecture"].split(":")[1], **variant["arguments"])
    network.load_state_dict(load_file(str(Path(model) / variant["file"])))
    network.eval()
    mean = torch.tensor(recipe.mean)
    deviation = torch.tensor(recipe.std)

    def logits(contents: list[bytes]) -> Floats:
        import numpy as np

        pixels = torch.from_numpy(np.stack([recipe.pixels(c) for c in contents]))
        images = ((pixels / 255 - mean) / deviation).permute(0, 3, 1, 2)  # (n, 3, h, w)
        with torch.no_grad():
            output: Floats = network(images).numpy()
        return output

    return recipe, logits


@cache
def kept_model(model: str, rows: int) -> tuple[Recipe, Logits]:
    """Open the model of the tuned pandas_udf once per worker process.

    The cache lives as long as this module, which the worker process imports once.
    """
    return open_tuned(model, rows)
