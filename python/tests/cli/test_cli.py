import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.cli.main import main
from sightline.version import __version__

Encode = Callable[..., bytes]


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nsys.stderr.write('\\n' + ' '.join(sys.modules))"
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stderr.splitlines()[-1].split())


def test_help_names_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "predict" in text
    assert "models" in text
    heavy = {"numpy", "pyarrow", "PIL", "torch", "onnxruntime"}
    code = "from sightline.cli.main import main\nfor a in (['--help'], ['predict', '--help']):"
    assert not loaded_after(f"{code}\n    main(a)") & heavy


def test_the_onnx_path_never_imports_torch(
    colour_bundle: Path, encode: Encode, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode("red"))
    arguments = ["predict", "--images", str(tmp_path / "images"), "--model", str(colour_bundle)]
    arguments += ["--output", str(tmp_path / "out")]
    modules = loaded_after(f"from sightline.cli.main import main\nassert main({arguments}) == 0")
    assert "onnxruntime" in modules
    assert "torch" not in modules
    assert "pyspark" not in modules


def test_version_prints_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["predikt"], "UNKNOWN_COMMAND: 'predikt'. Known: predict, "),
        (["predict"], "WRONG_ARGUMENTS: Missing option '--images'."),
        (["predict", "--imges", "x"], "WRONG_ARGUMENTS: No such option"),
        (["--nope"], "WRONG_ARGUMENTS: No such option"),
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (found,) = capsys.readouterr().err.splitlines()
    assert found.startswith(f"sightline: {line}")


def test_python_m_sightline_returns_the_exit_status() -> None:
    for arguments, status in ((["--version"], 0), (["predikt"], 2)):
        run = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "sightline", *arguments], capture_output=True, check=False
        )
        assert run.returncode == status
