"""The summary of a model: parameters, tensors, and layers or graph nodes."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.bundle.tensor_spec import TensorSpec

_MOST_LAYERS = 60  # rows of the table; the attribute `layers` has all


@dataclass(frozen=True)
class Layer:
    """A layer of a network, or a node of a graph.

    Args:
        name: Name in the network, such as ``features.0``.
        kind: Class or operator, such as ``Conv2d``.
        output: Shape of its output, such as ``(n, 64)``; empty if it is not known.
        parameters: Trained numbers of the layer itself.
    """

    name: str
    kind: str
    output: str = ""
    parameters: int = 0


@dataclass(frozen=True)
class ModelSummary:
    """What a model consists of. `print` gives a table, and a notebook shows it as HTML.

    Args:
        name: Name of the model.
        origin: The framework and the object or file, such as ``torch 2.15.0, Sequential``.
        parameters: Trained numbers; None if they cannot be counted.
        inputs: Inputs. The batch axis is ``n``; a word is an axis without a fixed length.
        outputs: Outputs; empty if they are only known after a run.
        layers: Layers or graph nodes, in the order of the network.
    """

    name: str
    origin: str
    parameters: int | None
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    layers: tuple[Layer, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.origin})", f"parameters: {self._count()}"]
        for title, rows in self._tables():
            lines += ["", *_text_table(title, rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tables = "".join(_html_table(title, rows) for title, rows in self._tables())
        head = f"<b>{html.escape(self.name)}</b> ({html.escape(self.origin)})"
        return f"<div>{head}<br>parameters: {self._count()}{tables}</div>"

    def _count(self) -> str:
        return "unknown" if self.parameters is None else f"{self.parameters:,}"

    def _tables(self) -> list[tuple[Sequence[str], list[Sequence[str]]]]:
        """Return the titles and the rows of each table."""
        tables: list[tuple[Sequence[str], list[Sequence[str]]]] = []
        for title, tensors in (("input", self.inputs), ("output", self.outputs)):
            rows: list[Sequence[str]] = [
                (one.name, one.dtype, f"({', '.join(map(str, one.shape))})") for one in tensors
            ]
            if rows:
                tables.append(((title, "dtype", "shape"), rows))
        if self.layers:
            rows = [
                (one.name, one.kind, one.output, f"{one.parameters:,}")
                for one in self.layers[:_MOST_LAYERS]
            ]
            if len(self.layers) > _MOST_LAYERS:
                rows.append((f"… and {len(self.layers) - _MOST_LAYERS} more", "", "", ""))
            tables.append((("layer", "kind", "output", "parameters"), rows))
        return tables


def _text_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        numbers = titles[-1] == "parameters"  # the last column is aligned to the right
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        if numbers:
            padded[-1] = cells[-1].rjust(widths[-1])
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return [line(titles), rule, *map(line, rows)]


def _html_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
