"""The lines that run Sightline on a cluster with an archive of the Python environment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The folder that Spark unpacks the archive to, in the working folder of each executor.
_FOLDER = "environment"
_PYTHON = f"./{_FOLDER}/bin/python"
# Where EMR and Dataproc have Spark's script for GPUs.
_VENDOR_SCRIPT = "/usr/lib/spark/scripts/gpu/getGpusResources.sh"
_VOLUME = "/Volumes/CATALOG/SCHEMA/VOLUME"
_OPT = "/opt/sightline"


@dataclass(frozen=True)
class Submission:
    """What the lines are for.

    Args:
        archive: The archive, on this machine.
        jar: The Spark application, on this machine.
        driver_python: The Python of this machine, for a driver that runs here.
        gpus_per_task: The part of a GPU of each task of the model; 0 for none.
    """

    archive: Path
    jar: Path
    driver_python: str
    gpus_per_task: float = 0

    @property
    def command(self) -> tuple[str, ...]:
        """The command of the jar; words in capitals are the user's to replace."""
        words = ("predict", "--images", "IMAGES", "--model", "MODEL", "--output", "OUTPUT")
        if not self.gpus_per_task:
            return words
        return (*words, "--device", "cuda", "--gpus-per-task", f"{self.gpus_per_task:g}")


def submit_lines(target: str, submission: Submission) -> str:
    """Return the lines to paste into a shell, for one of the targets of `pack`."""
    return _LINES[target](submission)


def _standalone(run: Submission) -> str:
    # The workers of the cluster know the script for GPUs; an application states only the number.
    settings = _python(run.driver_python) | _gpus(run, {})
    return _spark_submit(run, ["--master", "spark://MASTER:7077"], settings)


def _yarn(run: Submission) -> str:
    options = ["--master", "yarn", "--deploy-mode", "client"]
    if run.gpus_per_task:
        options += ["--files", "gpu_discovery.sh"]
    gpus = _gpus(run, {"discoveryScript": "./gpu_discovery.sh"})
    return _spark_submit(run, options, _python(run.driver_python) | gpus)


def _kubernetes(run: Submission) -> str:
    options = ["--master", "k8s://https://APISERVER:6443", "--deploy-mode", "cluster"]
    settings = {
        "spark.kubernetes.container.image": "IMAGE",
        "spark.kubernetes.authenticate.driver.serviceAccountName": "SERVICE_ACCOUNT",
        # Where spark-submit puts the archive and the jar for the driver to read.
        "spark.kubernetes.file.upload.path": "s3a://BUCKET/uploads",
    }
    gpus = _gpus(
        run, {"vendor": "nvidia.com", "discoveryScript": "/opt/sightline/gpu_discovery.sh"}
    )
    return _spark_submit(run, options, settings | _python(_PYTHON) | gpus)


def _spark_submit(run: Submission, options: Sequence[str], settings: Mapping[str, str]) -> str:
    return _one_line(
        ["spark-submit", *options],
        ["--archives", f"{run.archive}#{_FOLDER}"],
        *(["--conf", f"{name}={value}"] for name, value in settings.items()),
        [str(run.jar), *run.command],
    )


def _dataproc(run: Submission) -> str:
    settings = _python(_PYTHON) | _gpus(run, {"discoveryScript": _VENDOR_SCRIPT})
    # In cluster mode the driver runs in a container of YARN, which also gets the archive.
    properties = {"spark.submit.deployMode": "cluster", **settings}
    bucket = "gs://BUCKET/sightline"
    return "\n".join((
        _one_line(["gcloud", "storage", "cp", str(run.archive), str(run.jar), f"{bucket}/"]),
        _one_line(
            ["gcloud", "dataproc", "jobs", "submit", "spark"],
            ["--cluster=CLUSTER", "--region=REGION", f"--jar={bucket}/{run.jar.name}"],
            [f"--archives={bucket}/{run.archive.name}#{_FOLDER}"],
            [f"--properties={','.join(f'{name}={one}' for name, one in properties.items())}"],
            ["--", *run.command],
        ),
    ))  # fmt: skip


def _emr(run: Submission) -> str:
    settings = _python(_PYTHON) | _gpus(run, {"discoveryScript": _VENDOR_SCRIPT})
    bucket = "s3://BUCKET/sightline"
    confs = [word for name, one in settings.items() for word in ("--conf", f"{name}={one}")]
    step = {
        "Type": "Spark",
        "Name": "sightline",
        "ActionOnFailure": "CONTINUE",
        "Args": [
            *("--deploy-mode", "cluster"),
            *("--archives", f"{bucket}/{run.archive.name}#{_FOLDER}", *confs),
            *(f"{bucket}/{run.jar.name}", *run.command),
        ],
    }
    return "\n".join((
        *(_one_line(["aws", "s3", "cp", str(one), f"{bucket}/"]) for one in (run.archive, run.jar)),
        _one_line(
            ["aws", "emr", "add-steps", "--cluster-id", "CLUSTER"], ["--steps", json.dumps([step])]
        ),
    ))  # fmt: skip


def _databricks(run: Submission) -> str:
    # Databricks has no --archives: a script unpacks the archive on each node when it starts.
    python = f"{_OPT}/{_FOLDER}/bin/python"
    script = "unpack_environment.sh"
    unpack = (
        "#!/bin/bash",
        f"mkdir -p {_OPT}/{_FOLDER}",
        f"tar -xzf {_VOLUME}/{run.archive.name} -C {_OPT}/{_FOLDER}",
    )
    cluster = {
        "spark_version": "RUNTIME",
        "node_type_id": "NODE_TYPE",
        "num_workers": 2,
        "data_security_mode": "SINGLE_USER",
        # A runtime for GPUs sets the GPUs of the executors itself.
        "spark_conf": _python(python, python),
        "init_scripts": [{"volumes": {"destination": f"{_VOLUME}/{script}"}}],
    }
    task = {
        "task_key": "sightline",
        "spark_jar_task": {
            "main_class_name": "sightline.cli.Main",
            "parameters": list(run.command),
        },
        "libraries": [{"jar": f"{_VOLUME}/{run.jar.name}"}],
        "new_cluster": cluster,
    }
    request = {"run_name": "sightline", "tasks": [task]}
    copied = (str(run.archive), str(run.jar), script)
    return "\n".join((
        f"printf '%s\\n' {shlex.join(unpack)} > {script}",
        *(_one_line(["databricks", "fs", "cp", one, f"dbfs:{_VOLUME}/"]) for one in copied),
        _one_line(["databricks", "jobs", "submit"], ["--json", json.dumps(request)]),
    ))  # fmt: skip


def _python(driver: str, executors: str = _PYTHON) -> dict[str, str]:
    return {"spark.pyspark.python": executors, "spark.pyspark.driver.python": driver}


def _gpus(run: Submission, more: Mapping[str, str]) -> dict[str, str]:
    if not run.gpus_per_task:
        return {}
    settings = {"amount": "1", **more}
    return {f"spark.executor.resource.gpu.{name}": one for name, one in settings.items()}


def _one_line(*parts: Sequence[str]) -> str:
    """Return one command of a shell, with a line for each part."""
    return " \\\n  ".join(shlex.join(part) for part in parts)


_LINES = {
    "standalone": _standalone,
    "yarn": _yarn,
    "kubernetes": _kubernetes,
    "dataproc": _dataproc,
    "emr": _emr,
    "databricks": _databricks,
}
