"""The notebooks of the frameworks and of the fruits program: saved outputs, and runs elsewhere."""

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


def saved_cells(path: Path) -> dict[str, Cell]:
    """The code cells of a saved notebook: run in order, with text results and no local paths."""
    notebook = json.loads(path.read_text())
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells.values()] == [*range(1, len(cells) + 1)]
    for cell in cells.values():
        assert cell["metadata"] == {}
        for output in cell["outputs"]:
            assert (output["output_type"], output["name"]) == ("stream", "stdout")
        assert not NOT_A_RESULT.search(text(cell)), text(cell)
    return cells


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
    cells = saved_cells(folder / f"{name}.ipynb")
    assert 5 <= len(cells) <= 9
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


def test_the_saved_fruits_notebook_has_text_results_and_no_local_paths(repository: Path) -> None:
    cells = saved_cells(repository / "examples/fruits/fruits.ipynb")
    assert "24 classes, 1920 images" in text(cells["listing"])
    assert "'code': 'TRUNCATED'" in text(cells["table"])
    assert "50 of 1280 components keep" in text(cells["variance"])
    assert text(cells["agree"]) == "numpy finds the same shares: True\n"
    assert re.search(r"accuracy 0\.9\d+ on 480 test images", text(cells["classify"]))


@pytest.mark.timeout(900)
def test_the_fruits_notebook_runs_on_other_images_in_another_folder(
    repository: Path, shared: Path, run_in: Callable[..., Done], tmp_path: Path
) -> None:
    done = run_in(
        repository / ".venv/bin/python",
        repository / "examples/notebooks/run_notebook.py",
        repository / "examples/fruits/fruits.ipynb",
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
