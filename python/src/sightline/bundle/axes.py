"""Finds by running which axes of a graph's tensors are free, and which have the same length."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sightline.backends.backend import Array
from sightline.bundle.tensor_spec import TensorSpec

BATCH = "n"
_FAR = 7
Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]
_Runs = list[tuple[int, dict[str, tuple[int, ...]]]]  # a length, and the shapes of the outputs


@dataclass(frozen=True)
class FoundAxes:
    """The tensors of a graph, with names for their free axes.

    Attributes:
        inputs: Each with the batch axis "n" first.
        outputs: Those with a batch axis, likewise.
        longer: The test rows with another length of every free axis; None without a free axis.
        notes: Lines for the user about axes and outputs that differ from the graph's declaration.
    """

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    longer: Mapping[str, Array] | None
    notes: list[str] = field(default_factory=list)


def find_axes(
    run: Run,
    rows: Mapping[str, Array],
    declared: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    fixed: Sequence[str] = (),
    varying: Mapping[str, Collection[int]] | None = None,
) -> FoundAxes:
    """Run the graph with other lengths of each free axis, and compare the shapes of the outputs.

    An axis of an output is free if its length changes. It has the name of an input's axis if both
    always have the same length. Axes of several inputs that run only with equal lengths get one
    name. An axis that runs with one length only is fixed to it.

    Args:
        run: Runs a batch.
        rows: The test rows, which run.
        declared: The inputs with declared shapes; every free axis has a name.
        outputs: The outputs with declared shapes.
        fixed: Names of the inputs whose axes are fixed, such as images.
        varying: Axes of outputs whose length differs from row to row, by name of the output.
    """
    inputs = [TensorSpec(one.name, one.dtype, (BATCH, *one.row_axes)) for one in declared]
    lengths: dict[str, int] = {}
    for one in inputs:
        lengths = one.bind(rows[one.name].shape[1:], lengths) or lengths
    names = _names(sorted(lengths), {BATCH})
    pinned = {axis for one in inputs if one.name in fixed for axis in one.free_axes}
    base = {name: value.shape for name, value in run(rows).items()}
    others: dict[tuple[str, ...], _Runs] = {}
    failed = []
    for axis in sorted(lengths.keys() - pinned):
        found = _other_lengths(run, rows, inputs, (axis,), lengths[axis])
        if found:
            others[(axis,)] = found
        else:
            failed.append(axis)
    for group in _equal_lengths(failed, lengths):
        found = _other_lengths(run, rows, inputs, group, lengths[group[0]])
        if found:
            others[group] = found
    free = {axis: names[group[0]] for group in others for axis in group}
    notes = [
        f"axis {axis} is fixed: the model runs only with the length {lengths[axis]}"
        for axis in failed
        if axis not in free
    ]
    known = {axis: free.get(axis, length) for axis, length in lengths.items()}
    shaped = [_with_axes(one, known) for one in inputs]
    count = len(next(iter(rows.values())))
    found_outputs = []
    taken = {BATCH, *free.values()}
    for one in outputs:
        if base.get(one.name, ())[:1] != (count,):
            notes.append(f"output {one.name} is left out: its first axis is not the batch")
            continue
        axes = _output_axes(one, base[one.name], others, lengths, names, taken)
        for at in (varying or {}).get(one.name, ()):
            if isinstance(axes[at - 1], int):
                axes[at - 1] = _unused(_plain(f"{one.name}_{at}"), taken)
                taken.add(str(axes[at - 1]))
        found_outputs.append(TensorSpec(one.name, one.dtype, (BATCH, *axes)))
    longer = None
    if others:
        changed = {axis: runs[0][0] for group, runs in others.items() for axis in group}
        longer = _stretched(rows, inputs, changed)
    return FoundAxes(shaped, found_outputs, longer, notes)


def _equal_lengths(axes: Sequence[str], lengths: Mapping[str, int]) -> list[tuple[str, ...]]:
    groups: dict[int, list[str]] = {}
    for axis in axes:
        groups.setdefault(lengths[axis], []).append(axis)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _other_lengths(
    run: Run,
    rows: Mapping[str, Array],
    inputs: Sequence[TensorSpec],
    axes: tuple[str, ...],
    length: int,
) -> _Runs:
    """Run the graph with another length, and with a far longer one if it accepts it."""
    runs: _Runs = []
    for other in (2 * length, length + 1, 3 * length, length + 32, length // 2, length - 1):
        if other >= 1 and other != length and not runs:
            runs += _run_with(run, rows, inputs, dict.fromkeys(axes, other))
    # A convolution with a stride may give one length for two similar lengths of its input.
    far = _FAR * length
    return runs + (_run_with(run, rows, inputs, dict.fromkeys(axes, far)) if runs else [])


def _run_with(
    run: Run,
    rows: Mapping[str, Array],
    inputs: Sequence[TensorSpec],
    lengths: Mapping[str, int],
) -> _Runs:
    try:
        found = run(_stretched(rows, inputs, lengths))
    except Exception:  # noqa: BLE001 - onnxruntime's errors have no base of their own
        return []
    return [(next(iter(lengths.values())), {name: value.shape for name, value in found.items()})]


def _stretched(
    rows: Mapping[str, Array], inputs: Sequence[TensorSpec], lengths: Mapping[str, int]
) -> dict[str, Array]:
    """Return the rows with other lengths of some axes; their values repeat."""
    found = dict(rows)
    for one in inputs:
        for at, axis in enumerate(one.shape[1:], 1):
            if isinstance(axis, str) and axis in lengths:
                value = found[one.name]
                found[one.name] = np.take(
                    value, np.arange(lengths[axis]) % value.shape[at], axis=at
                )
    return found


def _with_axes(tensor: TensorSpec, known: Mapping[str, int | str]) -> TensorSpec:
    axes = (known[axis] if isinstance(axis, str) else axis for axis in tensor.row_axes)
    return TensorSpec(tensor.name, tensor.dtype, (BATCH, *axes))


def _output_axes(
    declared: TensorSpec,
    base: tuple[int, ...],
    others: Mapping[tuple[str, ...], _Runs],
    lengths: Mapping[str, int],
    names: Mapping[str, str],
    taken: set[str],
) -> list[int | str]:
    """Return the axes of a row of an output. Invented names are added to `taken`."""
    axes: list[int | str] = []
    for at, length in enumerate(base[1:], 1):
        found = {
            group: [(given, found.get(declared.name, ())[at : at + 1]) for given, found in runs]
            for group, runs in others.items()
        }
        changes = [group for group, runs in found.items() if any(x != (length,) for _, x in runs)]
        equal = [
            group
            for group in changes
            if length == lengths[group[0]] and all(x == (given,) for given, x in found[group])
        ]
        if len(changes) == 1 and changes == equal:
            axes.append(names[equal[0][0]])
        elif changes or length == 0:
            given = declared.shape[at] if len(declared.shape) == len(base) else "?"
            wanted = given if isinstance(given, str) and given != "?" else f"{declared.name}_{at}"
            name = _unused(_plain(wanted), taken)
            taken.add(name)
            axes.append(name)
        else:
            axes.append(length)
    return axes


def _names(axes: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Return a name of letters, digits and '_' for each axis, all different."""
    found: dict[str, str] = {}
    for axis in axes:
        found[axis] = _unused(_plain(axis), {*taken, *found.values()})
    return found


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:90] or "axis"


def _unused(name: str, taken: set[str]) -> str:
    """Return the name, or the name with a number if it is taken."""
    number = 2
    found = name
    while found in taken:
        found = f"{name}_{number}"
        number += 1
    return found
