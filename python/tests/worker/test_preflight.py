import json
import subprocess
import sys
from importlib import metadata

import pytest

from sightline.version import __version__
from sightline.worker.preflight import main


def test_preflight_is_one_json_line_about_this_interpreter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert answer["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert answer["executable"] == sys.executable
    assert (answer["protocol"], answer["sightline"]) == (4, __version__)
    assert answer["pyspark"] == metadata.version("pyspark")
    assert answer["packages"]["PIL"] == metadata.version("pillow")
    assert answer["backends"] == {
        "onnx": {"package": "onnxruntime", "variant": "onnx", "precisions": ["fp32", "int8"]},
        "pytorch": {"package": "torch", "variant": "pytorch", "precisions": ["fp32", "bf16"]},
        "openvino": {
            "package": "openvino",
            "variant": "onnx",
            "precisions": ["fp32", "bf16", "int8"],
        },
        "python": {"package": "numpy", "variant": "python", "precisions": ["fp32"]},
    }
    assert answer["broken_backends"] == {}


def test_preflight_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sightline.worker.preflight import preflight; preflight(); "
        "print([m for m in ('numpy', 'pyarrow', 'PIL', 'pyspark', 'torch') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.strip() == "[]"


def test_an_unknown_backend_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cuda", "tensorflow"]) == 2
    assert capsys.readouterr().err.startswith("UNKNOWN_BACKEND: 'tensorflow'. Known: onnx")
