"""`doctor` on broken set-ups: each finding with its fix, the exit status, and the executors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Finding = dict[str, str]
BIN = Path(__file__).resolve().parent.parent / ".venv" / "bin"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def doctor(
    run_in: Callable[..., Done], jar: Path, spark_home: Path
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """``doctor(arguments, spark=options, **variables)``: the exit status and the JSON."""

    def call(
        *arguments: object, spark: tuple[str, ...] = (), master: str = "local[2]", **variables: str
    ) -> tuple[int, dict[str, Any]]:
        options = ("--master", master, "--conf", "spark.ui.enabled=false", *spark)
        # Without SPARK_HOME, spark-submit itself would run PYSPARK_PYTHON to find Spark.
        variables.setdefault("SPARK_HOME", str(spark_home))
        done = run_in(
            BIN / "spark-submit", *options, jar, "doctor", "--json", *arguments, **variables
        )
        assert "Traceback" not in done.stderr
        assert "\tat " not in done.stderr
        answer = json.loads(done.stdout)
        if done.returncode:
            assert done.stderr.splitlines()[-1] == f"sightline: SETUP_BLOCKED: {answer['summary']}"
        return done.returncode, answer

    return call


def blockers(answer: dict[str, Any]) -> dict[str, Finding]:
    return {one["name"]: one for one in answer["findings"] if one["severity"] == "blocker"}


def setting(*pairs: str) -> tuple[str, ...]:
    return tuple(word for pair in pairs for word in ("--conf", pair))


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without any package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def test_a_missing_interpreter(doctor: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    status, answer = doctor(PYSPARK_PYTHON="/nowhere/python")
    found = blockers(answer)
    assert (status, list(found)) == (1, ["PYTHON_NOT_FOUND"])
    assert found["PYTHON_NOT_FOUND"]["found"].startswith("'/nowhere/python' cannot be started")
    assert found["PYTHON_NOT_FOUND"]["fix"] == (
        "Set an interpreter by spark.pyspark.python or PYSPARK_PYTHON; if only the driver needs "
        "another one, by spark.pyspark.driver.python."
    )


def test_an_interpreter_without_packages(
    doctor: Callable[..., tuple[int, dict[str, Any]]], bare_python: Path
) -> None:
    status, answer = doctor(PYSPARK_PYTHON=str(bare_python))
    found = blockers(answer)
    assert (status, set(found)) == (1, {"PYSPARK_MISMATCH", "MISSING_PACKAGE"})
    missing = found["MISSING_PACKAGE"]
    assert missing["found"].endswith("has no numpy, pyarrow, PIL, safetensors, onnxruntime")
    assert missing["fix"].startswith(f"{bare_python} -m pip install 'numpy' 'pyarrow' 'pillow'")


@pytest.mark.parametrize("line", ["4.0", "4.2"])
def test_a_pyspark_of_another_line(
    doctor: Callable[..., tuple[int, dict[str, Any]]], repository: Path, line: str
) -> None:
    other = repository / ".tools" / f"spark-{line}"
    if not (other / "pyspark").is_dir():
        pytest.skip(f"{other} is not installed")
    status, answer = doctor(PYSPARK_PYTHON=str(BIN / "python"), PYTHONPATH=str(other))
    found = blockers(answer)
    assert (status, list(found)) == (1, ["PYSPARK_MISMATCH"])
    assert f"has pyspark {line}." in found["PYSPARK_MISMATCH"]["found"]
    assert found["PYSPARK_MISMATCH"]["fix"].startswith("Install pyspark==4.1.")


def test_an_output_in_a_folder_that_takes_no_files(
    doctor: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    status, answer = doctor("--output", "/proc/predictions")
    found = blockers(answer)
    assert (status, list(found)) == (1, ["OUTPUT_NOT_WRITABLE"])
    assert found["OUTPUT_NOT_WRITABLE"]["fix"].startswith("Choose another --output")


def test_a_full_disk(doctor: Callable[..., tuple[int, dict[str, Any]]], small_disk: Path) -> None:
    status, answer = doctor("--output", small_disk / "predictions")
    found = blockers(answer)
    assert (status, list(found)) == (1, ["DISK_FULL"])
    assert found["DISK_FULL"]["fix"] == "Free some space, or choose another --output."
    assert list(small_disk.iterdir()) == []


def test_little_space_for_scratch_files(run_in: Callable[..., Done], small_disk: Path) -> None:
    done = run_in(BIN / "sightline", "doctor", "--json", TMPDIR=str(small_disk))
    findings = json.loads(done.stdout)["findings"]
    (found,) = [one for one in findings if one["name"] == "LITTLE_SCRATCH_SPACE"]
    assert (done.returncode, found["severity"]) == (0, "warning")
    assert found["found"] == f"0 MiB are free in {small_disk}"
    assert found["fix"] == (
        "Free some space, or set TMPDIR and spark.local.dir to a folder with 1 GiB or more."
    )


def test_a_backend_whose_package_is_damaged(
    doctor: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path
) -> None:
    # As after an installation for another machine: the package is there and cannot be imported.
    package = tmp_path / "onnxruntime"
    package.mkdir()
    (package / "__init__.py").write_text("import ctypes\nctypes.CDLL('libnowhere.so.1')\n")
    status, answer = doctor(PYTHONPATH=str(tmp_path))
    found = blockers(answer)
    assert (status, list(found)) == (1, ["BACKEND_UNUSABLE"])
    assert "libnowhere.so.1: cannot open shared object" in found["BACKEND_UNUSABLE"]["found"]
    assert found["BACKEND_UNUSABLE"]["fix"] == (
        "Install the package again, for this Python and this machine."
    )


def test_a_model_whose_file_has_changed(
    doctor: Callable[..., tuple[int, dict[str, Any]]], repository: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "id_fraud"
    shutil.copytree(repository / "models" / "id_fraud", changed)
    with (changed / "model.onnx").open("r+b") as file:
        file.write(b"\xff")
    status, answer = doctor("--model", changed)
    found = blockers(answer)
    assert (status, list(found)) == (1, ["BUNDLE_CORRUPT"])
    assert "'model.onnx' has sha256" in found["BUNDLE_CORRUPT"]["found"]
    assert "add it again from its source" in found["BUNDLE_CORRUPT"]["fix"]


def test_a_gpu_on_a_machine_without_one(
    doctor: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU")
    status, answer = doctor("--device", "cuda")
    found = blockers(answer)
    assert (status, list(found)) == (1, ["DEVICE_UNAVAILABLE"])
    assert found["DEVICE_UNAVAILABLE"]["fix"].startswith("Use --device cpu, or")


TASK, EXECUTOR = "spark.task.resource.gpu.amount", "spark.executor.resource.gpu.amount"


@pytest.mark.parametrize(
    ("master", "settings", "fix"),
    [
        ("local[2]", (f"{TASK}=1",), f"Remove {TASK}; --device cuda uses GPU 0 in local mode."),
        (
            "local-cluster[1,1,1024]",
            (f"{TASK}=1",),
            f"Set {EXECUTOR}=1 and spark.executor.resource.gpu.discoveryScript.",
        ),
        (
            "local-cluster[1,1,1024]",
            (f"{TASK}=2", f"{EXECUTOR}=1"),
            f"Set {TASK} to 1 or less.",
        ),
        (
            "local[2]",
            ("spark.task.cpus=3",),
            "Set spark.task.cpus to 2 or less, or give an executor 3 cores.",
        ),
    ],
)
def test_settings_with_which_no_task_starts(
    doctor: Callable[..., tuple[int, dict[str, Any]]],
    master: str,
    settings: tuple[str, ...],
    fix: str,
) -> None:
    status, answer = doctor(master=master, spark=setting(*settings))
    found = blockers(answer)
    assert (status, list(found)) == (1, ["TASKS_CANNOT_START"])
    assert found["TASKS_CANNOT_START"]["fix"] == fix


def test_memory_that_is_too_small_for_the_model(
    doctor: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    memory = setting("spark.executor.pyspark.memory=200m")
    status, answer = doctor("--model", "id_fraud", "--batch-rows", "64", spark=memory)
    found = blockers(answer)
    assert (status, list(found)) == (1, ["MEMORY_TOO_SMALL"])
    assert "the settings of Spark give the workers 100 MiB" in found["MEMORY_TOO_SMALL"]["found"]
    assert found["MEMORY_TOO_SMALL"]["fix"].startswith("Use --batch-rows 16 or fewer threads")


CLUSTER = "local-cluster[2,1,1024]"


def test_every_executor_is_listed(
    doctor: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path
) -> None:
    status, answer = doctor(
        "--executors", "--model", "id_fraud", "--output", tmp_path / "out", master=CLUSTER
    )
    assert (status, answer["blockers"]) == (0, 0)
    (of_driver,) = [one["found"] for one in answer["findings"] if one["name"] == "MODEL"]
    for name in ("PYTHON", "PACKAGES", "BACKEND", "MODEL_HASH", "CLOCK"):
        there = [one for one in answer["findings"] if one["name"] == name]
        executors = [one["where"].split(" (")[0] for one in there if one["where"] != "driver"]
        assert executors == ["executor 0", "executor 1"]
    hashes = {one["found"] for one in answer["findings"] if one["name"] == "MODEL_HASH"}
    assert len(hashes) == 1
    assert hashes.pop() in of_driver


def another_python() -> str:
    """An interpreter of another minor version."""
    for minor in (12, 13, 11):
        path = shutil.which(f"python3.{minor}")
        if path and minor != sys.version_info.minor:
            done = subprocess.run(  # noqa: S603 - an interpreter of this machine
                [path, "-c", "import sys; print(sys.executable)"],
                # The programs of pyenv start only a chosen version.
                env={**os.environ, "PYENV_VERSION": f"3.{minor}"},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return done.stdout.strip()
    pytest.skip("this machine has no other Python")


def of_executors(python: str) -> tuple[str, ...]:
    return setting(
        f"spark.pyspark.driver.python={BIN / 'python'}", f"spark.pyspark.python={python}"
    )


def test_executors_with_another_python(
    doctor: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    status, answer = doctor("--executors", master=CLUSTER, spark=of_executors(another_python()))
    found = [one for one in answer["findings"] if one["severity"] == "blocker"]
    assert status == 1
    assert {one["name"] for one in found} == {"PYTHON_VERSION_MISMATCH"}
    assert [one["where"].split(" (")[0] for one in found] == ["executor 0", "executor 1"]
    assert found[0]["fix"].startswith(f"Install Python 3.{sys.version_info.minor} there, or ship")


@pytest.mark.parametrize("case", ["missing", "bare"])
def test_predict_checks_the_interpreter_of_an_executor_before_it_reads_an_image(
    run_in: Callable[..., Done],
    jar: Path,
    gallery: Path,
    colour_bundle: Path,
    bare_python: Path,
    tmp_path: Path,
    case: str,
) -> None:
    python = {"missing": "./environment/bin/python", "bare": str(bare_python)}[case]
    expected = {"missing": "PYTHON_NOT_FOUND: '", "bare": "MISSING_PACKAGE: "}[case]
    done = run_in(
        *(BIN / "spark-submit", "--master", "local-cluster[1,1,1024]", *of_executors(python)),
        *("--conf", "spark.ui.enabled=false", jar, "predict", "--images", gallery),
        *("--model", colour_bundle, "--output", tmp_path / "out"),
    )
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert last.startswith(f"sightline: {expected}{python} on executor 0 (")
    assert list(tmp_path.iterdir()) == []
