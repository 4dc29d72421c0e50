"""The nodes of an ONNX graph: their order, the values that they read, and names of values."""

from __future__ import annotations

from collections.abc import Iterator

import onnx


def order_nodes(graph: onnx.GraphProto) -> None:
    """Sort the nodes of a graph in place, each after the nodes that produce its inputs.

    ONNX requires this order. onnxruntime does not, and some tools that edit graphs append nodes.
    Nodes that are in order keep their order. Nodes of a cycle stay at the end, so that the runtime
    reports the cycle.
    """
    made = {name for node in graph.node for name in node.output if name}
    waiting = list(graph.node)
    done: set[str] = set()
    ordered: list[onnx.NodeProto] = []
    while waiting:
        later = []
        for node in waiting:
            if all(name not in made or name in done for name in names_read(node)):
                ordered.append(node)
                done.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            ordered += later
            break
        waiting = later
    if [id(node) for node in ordered] != [id(node) for node in graph.node]:
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
        del graph.node[:]
        graph.node.extend(copies)


def names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names of the values that a node reads, including those that its subgraphs read."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            for inner in graph.node:
                yield from names_read(inner)
            yield from (output.name for output in graph.output)


def rename_value(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Give a value another name where nodes make and read it, also in subgraphs.

    The graph's inputs and outputs keep their names, so the caller must connect them again.
    """
    for node in _all_nodes(graph):
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                if name == old:
                    names[at] = new
        for inner in _subgraphs(node):
            for output in inner.output:
                if output.name == old:
                    output.name = new


def _all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for inner in _subgraphs(node):
            yield from _all_nodes(inner)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g
