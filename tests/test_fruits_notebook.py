"""The notebook of the fruits program: its saved outputs, and a run of it."""

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

# Texts from one machine, from Spark's start, or with the time of the run.
NOT_A_RESULT = re.compile(
    r"(?<![\w.])/(work|tmp|home|root|usr|Users)\b|WARN |Traceback|\d{4}-\d\d-\d\dT\d\d:"
)


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "examples" / "fruits"


def code_cells(notebook: Path) -> dict[str, Cell]:
    """The code cells by id."""
    cells = json.loads(notebook.read_text())["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def text(cell: Cell) -> str:
    """The printed output of a cell."""
    return "".join("".join(output["text"]) for output in cell["outputs"])


def test_the_saved_notebook_has_text_results_and_no_local_paths(folder: Path) -> None:
    notebook = json.loads((folder / "fruits.ipynb").read_text())
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    cells = code_cells(folder / "fruits.ipynb")
    assert [cell["execution_count"] for cell in cells.values()] == [*range(1, len(cells) + 1)]
    for cell in cells.values():
        assert cell["metadata"] == {}
        for output in cell["outputs"]:
            assert (output["output_type"], output["name"]) == ("stream", "stdout")
        assert not NOT_A_RESULT.search(text(cell)), text(cell)
    assert "24 classes, 1920 images" in text(cells["listing"])
    assert "'code': 'TRUNCATED'" in text(cells["table"])
    assert "50 of 1280 components keep" in text(cells["variance"])
    assert text(cells["agree"]) == "numpy finds the same shares: True\n"
    assert re.search(r"accuracy 0\.9\d+ on 480 test images", text(cells["classify"]))


@pytest.mark.timeout(900)
def test_the_notebook_runs_on_other_images_in_another_folder(
    folder: Path, repository: Path, shared: Path, run_in: Callable[..., Done], tmp_path: Path
) -> None:
    done = run_in(
        repository / ".venv/bin/python",
        *(repository / "examples/notebooks/run_notebook.py", folder / "fruits.ipynb"),
        *("--output", tmp_path / "fruits.ipynb"),
        FRUITS_IMAGES=str(shared / "fruits/dev/*/Cherry_*/*.jpg"),
        FRUITS_WEIGHTS=str(shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors"),
        FRUITS_WORK=str(tmp_path / "work"),
        FRUITS_PERCENTAGE="50",
        FRUITS_K="20",
    )
    assert done.returncode == 0, done.stderr
    printed = {name: text(cell) for name, cell in code_cells(tmp_path / "fruits.ipynb").items()}
    assert "5 classes, 200 images" in printed["listing"]
    assert "201 rows" in printed["table"]
    assert "test, Cherry_2, half.jpg: {'code': 'TRUNCATED'" in printed["table"]
    assert "features (200, 1280)" in printed["table"]
    table = re.findall(r"^ +(\d+) +([\d.]+)% +([\d.]+)%$", printed["variance"], re.MULTILINE)
    assert [int(component) for component, _, _ in table] == [*range(1, 11)]
    shares, together = ([float(row[column]) for row in table] for column in (1, 2))
    assert shares == sorted(shares, reverse=True)
    assert together == sorted(together)
    assert "20 of 1280 components keep" in printed["variance"]
    assert "90% of the variance: " in printed["variance"]
    assert printed["agree"] == "numpy finds the same shares: True\n"
    accuracy = re.fullmatch(r"accuracy ([\d.]+) on 50 test images\n", printed["classify"])
    assert accuracy
    assert float(accuracy[1]) > 0.9
    assert re.search(r"^features +1280 +[\d.]+$", printed["compare"], re.MULTILINE)
    assert (tmp_path / "work/pca/report.html").is_file()
    assert (tmp_path / "work/without_pictures.html").is_file()
