"""Names of outputs and axes in a graph that another program exported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import onnx

from sightline.bundle.graph import strip_notes

BATCH = "n"
# Names of axes, but not those that torch, Keras and tf2onnx invent.
_GIVEN = re.compile(r"(?!s\d+$|u\d+$|unk_|dim_|batch$|n$)[A-Za-z][A-Za-z0-9_]*(?<!_dim_\d)")


def plain_graph(
    model: onnx.ModelProto,
    outputs: Sequence[str] = (),
    axes: Mapping[str, Sequence[int | str]] | None = None,
) -> tuple[bytes, list[str]]:
    """Return the model with readable names, without debug information, and its outputs' names.

    A free first axis becomes "n". An exporter's other names of free axes, such as "s73" or
    "unk__12", become INPUT_1 for axis 1 of the first input that has it. Names that a person gave
    stay.

    Args:
        model: A graph of tensors. It is changed.
        outputs: New names for its outputs, in their order; empty keeps the names. A name that an
            input or a weight has gets the ending "_output".
        axes: Names of axes for some inputs; lengths are ignored.
    """
    graph = model.graph
    weights = {one.name for one in graph.initializer}
    names: dict[str, str] = {}
    for value in graph.input:
        if value.name not in weights:
            _name_axes(value, names, (axes or {}).get(value.name, ()))
    if outputs:
        for value, name in zip(graph.output, outputs, strict=True):
            _rename_output(graph, value, name)
    for value in graph.output:
        _name_axes(value, names)
    del graph.value_info[:]  # types of inner values, with the old names of axes
    strip_notes(model)
    return model.SerializeToString(deterministic=True), [one.name for one in graph.output]


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names in letters, digits and '_'. Equal ones are numbered."""
    found: list[str] = []
    for name in names:
        plain = _plain(name) or "output"
        while plain in found:
            plain += f"_{len(found)}"
        found.append(plain)
    return found


def _name_axes(
    value: onnx.ValueInfoProto, names: dict[str, str], given: Sequence[int | str] = ()
) -> None:
    """Name the free axes of a tensor. `names` has the new names of axes by their old names."""
    for at, axis in enumerate(value.type.tensor_type.shape.dim):
        if axis.dim_value > 0:
            continue
        old = axis.dim_param
        new = old if _GIVEN.fullmatch(old) else f"{_plain(value.name)}_{at}"
        if at == 0:
            new = BATCH
        elif given:
            new = str(given[at])
        axis.dim_param = names.setdefault(old, new) if old else new


def _rename_output(graph: onnx.GraphProto, value: onnx.ValueInfoProto, name: str) -> None:
    """Give an output another name, by an Identity, which runtimes remove."""
    old = value.name
    if old == name:
        return
    while name in {one.name for one in (*graph.input, *graph.initializer, *graph.output)}:
        name += "_output"
    _rename_inner(graph, name, f"{name}/inner")
    graph.node.append(onnx.helper.make_node("Identity", [old], [name]))
    value.name = name


def _rename_inner(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Rename a value wherever it is computed and used, in subgraphs, too."""
    for node in graph.node:
        for field in (node.input, node.output):
            for at in [at for at, one in enumerate(field) if one == old]:
                field[at] = new
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename_inner(inner, old, new)
    for value in graph.output:
        if value.name == old:
            value.name = new


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]+", "_", name).strip("_")
