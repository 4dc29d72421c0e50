"""Run a notebook and write it with its results, without pictures.

    cd examples/notebooks
    python run_notebook.py onnx.ipynb --output onnx_with_results.ipynb

If the output is the notebook itself, its results in the repository are updated.
"""

from __future__ import annotations

import argparse
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode


def main() -> None:
    """Run every cell. An error in a cell ends this program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("notebook", type=Path, help="notebook to run")
    parser.add_argument("--output", required=True, type=Path, help="notebook to write")
    parser.add_argument(
        "--folder", type=Path, help="working folder of the cells; default: the notebook's"
    )
    options = parser.parse_args()

    notebook = nbformat.read(options.notebook, as_version=4)  # type: ignore[no-untyped-call]
    metadata = deepcopy(notebook.metadata)  # a run adds the Python version
    folder = {"metadata": {"path": str(options.folder or options.notebook.resolve().parent)}}
    NotebookClient(notebook, resources=folder, coalesce_streams=True).execute()
    notebook.metadata = metadata
    for cell in notebook.cells:
        cell.metadata.clear()  # it contains the time of the run
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if is_result_in_text(output)]
    nbformat.write(notebook, options.output)  # type: ignore[no-untyped-call]


def is_result_in_text(output: NotebookNode) -> bool:
    """Whether the output is text, and neither a picture nor a message of Spark."""
    if output.output_type == "stream":
        return bool(output.name == "stdout")
    return not any(kind.startswith("image/") for kind in output.data)


if __name__ == "__main__":
    main()
