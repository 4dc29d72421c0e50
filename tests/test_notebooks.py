"""The notebooks of the frameworks: their saved outputs, and a run of each in another folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Done = CompletedProcess[str]
Cell = dict[str, Any]

FRAMEWORKS = {
    "onnx": "onnxruntime",
    "pytorch": "PyTorch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "scikit_learn": "scikit-learn",
}
# Texts from one machine, from Spark's start, or with the time of the run.
NOT_A_RESULT = re.compile(
    r"(?<![\w.])/(work|tmp|home|root|usr|Users)\b|WARN |Traceback|\d{4}-\d\d-\d\dT\d\d:"
)


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "examples" / "notebooks"


def code_cells(notebook: Path) -> dict[str, Cell]:
    """The code cells by id."""
    cells = json.loads(notebook.read_text())["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def text(cell: Cell) -> str:
    """The printed output of a cell."""
    return "".join("".join(output["text"]) for output in cell["outputs"])


def check_equal_accuracies(cells: dict[str, Cell], framework: str) -> None:
    """The framework, the function of columns and the stage have the same accuracy."""
    table = text(cells["compare"])
    found = re.findall(r"^(\S+) +(\d\.\d{6})$", table, re.MULTILINE)
    assert [name for name, _ in found[:3]] == [framework, "model_udf", "model"]
    assert len({accuracy for _, accuracy in found}) == 1, table
    assert 0.9 < float(found[0][1]) < 1
    assert table.endswith("\nequal: True\n")
    assert text(cells["model"]) == f"{framework}: {found[0][1]} of the test images\n"
    assert "parameters: " in text(cells["summary"])
    if "file" in cells:
        assert text(cells["file"]).split()[1] == found[0][1]


def test_every_notebook_of_the_folder_is_tested(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.ipynb")} == FRAMEWORKS.keys()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_saved_notebook_has_text_results_and_no_local_paths(folder: Path, name: str) -> None:
    notebook = json.loads((folder / f"{name}.ipynb").read_text())
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    cells = code_cells(folder / f"{name}.ipynb")
    assert 5 <= len(cells) <= 9
    assert [cell["execution_count"] for cell in cells.values()] == [*range(1, len(cells) + 1)]
    for cell in cells.values():
        assert cell["metadata"] == {}
        for output in cell["outputs"]:
            assert (output["output_type"], output["name"]) == ("stream", "stdout")
        assert not NOT_A_RESULT.search(text(cell)), text(cell)
    check_equal_accuracies(cells, FRAMEWORKS[name])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_notebook_runs_in_another_folder_and_finds_the_framework_s_accuracy(
    folder: Path,
    repository: Path,
    jar: Path,
    run_in: Callable[..., Done],
    tmp_path: Path,
    name: str,
) -> None:
    if name == "tensorflow" and not (repository / ".tools/tensorflow/bin/python").is_file():
        pytest.skip("no TensorFlow: scripts/make_tensorflow.sh")
    assert jar.is_relative_to(repository)
    done = run_in(
        repository / ".venv/bin/python",
        *(folder / "run_notebook.py", folder / f"{name}.ipynb"),
        *("--folder", tmp_path, "--output", tmp_path / f"{name}.ipynb"),
        SIGHTLINE_REPOSITORY=str(repository),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    check_equal_accuracies(code_cells(tmp_path / f"{name}.ipynb"), FRAMEWORKS[name])
