"""Read the run.json in the output folder of a run."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.errors import WrongUseError

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pca:
    """The result of a PCA.

    Args:
        k: Number of components kept, at least 1.
        features: Length of the feature vectors; None if unknown.
        fitted_on: Number of images in the fit; None if unknown.
        explained_variance: (k,) shares of the total variance, each in 0..1.
        spectrum: Shares of more components; at least the first k.
        components_for: Number of components that explain a share such as "0.90"; may exceed k.
        compression_ratio: Features divided by components; None if unknown.
    """

    k: int
    features: int | None
    fitted_on: int | None
    explained_variance: tuple[float, ...]
    spectrum: tuple[float, ...]
    components_for: dict[str, int]
    compression_ratio: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its run.json describes it.

    Args:
        folder: The output folder.
        record: The run.json. Only ``command`` and ``pca`` are checked.
        command: Name of the command.
        inference: Record of the run that applied the model: for a PCA its ``features_run``, which
            may be empty, else the record itself.
        pca: Result of a PCA; None for other commands.
    """

    folder: Path
    record: Record
    command: str
    inference: Record
    pca: Pca | None


def read_run(folder: Path) -> Run:
    """Read ``run.json`` (of a PCA) or ``_run/run.json`` (of other commands).

    Raises:
        WrongUseError: PATH_NOT_FOUND; NOT_A_RUN without a run.json; DAMAGED_RUN if it is not
            JSON, has no command, or lacks a field of a PCA.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        message = f"'{folder}' {what}. Give the output folder of pca, features or predict."
        raise WrongUseError("PATH_NOT_FOUND", message)
    files = [folder / "run.json", folder / "_run" / "run.json"]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        message = f"'{folder}' has no run.json, so it is not an output of pca, features or predict."
        raise WrongUseError("NOT_A_RUN", message)
    try:
        record = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file, f"it cannot be read as JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("command"), str):
        raise _damaged(file, "it has no command")
    pca = _pca(file, record) if record["command"] == "pca" else None
    inference = mapping(record, "features_run") if pca else record
    return Run(folder, record, record["command"], inference, pca)


def mapping(record: Record, name: str) -> Record:
    """Return the object of that name in a record; empty if there is none."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def numbers(record: Record, name: str) -> dict[str, float]:
    """Return the finite numbers of an object in a record, by name, without its other entries."""
    return {key: value for key, value in mapping(record, name).items() if is_number(value)}


def is_number(value: object) -> bool:
    """Whether it is a finite number of JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _pca(file: Path, record: Record) -> Pca:
    found = mapping(record, "pca")
    k = found.get("k")
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise _damaged(file, f"pca.k is {k!r} and not a number of components")
    shares = _shares(file, found, "explained_variance")
    if len(shares) != k:
        raise _damaged(file, f"pca.explained_variance has {len(shares)} shares and not {k}")
    spectrum = _shares(file, found, "spectrum") if found.get("spectrum") else shares
    return Pca(
        k,
        _count(found.get("features")),
        _count(found.get("fitted_on")),
        shares,
        spectrum if len(spectrum) >= k else shares,
        {name: int(value) for name, value in numbers(found, "components_for").items()},
        found["compression_ratio"] if is_number(found.get("compression_ratio")) else None,
    )


def _shares(file: Path, pca: Record, name: str) -> tuple[float, ...]:
    values = pca.get(name)
    # Rounding errors may move a share a little below 0 or above 1.
    if not isinstance(values, list) or not all(
        is_number(value) and -1e-6 <= value <= 1 + 1e-6 for value in values
    ):
        raise _damaged(file, f"pca.{name} is not a list of shares, each in 0..1")
    return tuple(min(max(float(value), 0.0), 1.0) for value in values)


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and is_number(value) else None


def _damaged(file: Path, why: str) -> WrongUseError:
    return WrongUseError("DAMAGED_RUN", f"'{file}': {why}. Run the command again.")
