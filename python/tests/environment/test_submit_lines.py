"""The lines of `sightline pack`, for each kind of cluster."""

from __future__ import annotations

import itertools
import json
import shlex
from pathlib import Path

import pytest

from sightline.cli.pack import TARGETS
from sightline.environment.submit_lines import Submission, submit_lines

ARCHIVE = Path("/home/me/my runs/environment.tar.gz")
RUN = Submission(ARCHIVE, Path("/opt/sightline.jar"), "/home/me/.venv/bin/python")
GPU_RUN = Submission(ARCHIVE, Path("/opt/sightline.jar"), "/home/me/.venv/bin/python", 0.25)
PREDICT = ["predict", "--images", "IMAGES", "--model", "MODEL", "--output", "OUTPUT"]
OF_ARCHIVE = "./environment/bin/python"


def words(target: str, run: Submission = RUN) -> list[str]:
    """Return the words of the last command, as a shell reads them."""
    text = submit_lines(target, run).replace("\\\n", " ")
    return shlex.split(text.splitlines()[-1])


def settings(line: list[str]) -> dict[str, str]:
    pairs = [after for word, after in itertools.pairwise(line) if word == "--conf"]
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_standalone_line_as_a_whole() -> None:
    assert submit_lines("standalone", RUN) == (
        "spark-submit --master spark://MASTER:7077 \\\n"
        "  --archives '/home/me/my runs/environment.tar.gz#environment' \\\n"
        "  --conf spark.pyspark.python=./environment/bin/python \\\n"
        "  --conf spark.pyspark.driver.python=/home/me/.venv/bin/python \\\n"
        "  /opt/sightline.jar predict --images IMAGES --model MODEL --output OUTPUT"
    )


def test_a_driver_on_this_machine_has_this_python_and_one_on_a_node_that_of_the_archive() -> None:
    assert settings(words("yarn"))["spark.pyspark.driver.python"] == "/home/me/.venv/bin/python"
    found = settings(words("kubernetes"))
    assert found["spark.pyspark.driver.python"] == OF_ARCHIVE
    assert found["spark.pyspark.python"] == OF_ARCHIVE


def test_the_executors_use_the_archive_wherever_the_python_of_this_machine_is() -> None:
    # The images of the Dockerfile have their environment there.
    run = Submission(ARCHIVE, Path("/opt/sightline.jar"), "/opt/sightline/bin/python3")
    for target in ("standalone", "yarn"):
        found = settings(words(target, run))
        assert found["spark.pyspark.python"] == OF_ARCHIVE
        assert found["spark.pyspark.driver.python"] == "/opt/sightline/bin/python3"


@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("standalone", {}),
        ("yarn", {"discoveryScript": "./gpu_discovery.sh"}),
        (
            "kubernetes",
            {"vendor": "nvidia.com", "discoveryScript": "/opt/sightline/gpu_discovery.sh"},
        ),
    ],
)
def test_tasks_with_a_gpu_have_executors_with_a_gpu(target: str, more: dict[str, str]) -> None:
    line = words(target, GPU_RUN)
    gpus = {name: one for name, one in settings(line).items() if ".resource.gpu." in name}
    prefix = "spark.executor.resource.gpu."
    assert gpus == {f"{prefix}{name}": one for name, one in ({"amount": "1"} | more).items()}
    assert line[-4:] == ["--device", "cuda", "--gpus-per-task", "0.25"]
    assert ("--files" in line) == (target == "yarn")
    assert not any(".resource.gpu." in word for word in words(target))


def test_dataproc_has_the_archive_and_the_settings_as_properties() -> None:
    copy = submit_lines("dataproc", RUN).splitlines()[0]
    assert shlex.split(copy)[3:] == [str(ARCHIVE), "/opt/sightline.jar", "gs://BUCKET/sightline/"]
    line = words("dataproc", GPU_RUN)
    assert "--archives=gs://BUCKET/sightline/environment.tar.gz#environment" in line
    (properties,) = (one.removeprefix("--properties=") for one in line if "--prop" in one)
    assert properties.split(",") == [
        "spark.submit.deployMode=cluster",
        f"spark.pyspark.python={OF_ARCHIVE}",
        f"spark.pyspark.driver.python={OF_ARCHIVE}",
        "spark.executor.resource.gpu.amount=1",
        "spark.executor.resource.gpu.discoveryScript=/usr/lib/spark/scripts/gpu/getGpusResources.sh",
    ]
    assert line[line.index("--") + 1 :][: len(PREDICT)] == PREDICT


def test_emr_has_a_step_of_spark() -> None:
    (step,) = json.loads(words("emr")[-1])
    assert step["Type"] == "Spark"
    bucket = "s3://BUCKET/sightline"
    assert step["Args"] == [
        *("--deploy-mode", "cluster", "--archives", f"{bucket}/environment.tar.gz#environment"),
        *("--conf", f"spark.pyspark.python={OF_ARCHIVE}"),
        *("--conf", f"spark.pyspark.driver.python={OF_ARCHIVE}"),
        *(f"{bucket}/sightline.jar", *PREDICT),
    ]


def test_databricks_unpacks_the_archive_by_an_init_script() -> None:
    script = submit_lines("databricks", RUN).splitlines()[0]
    assert "tar -xzf /Volumes/CATALOG/SCHEMA/VOLUME/environment.tar.gz" in script
    (task,) = json.loads(words("databricks")[-1])["tasks"]
    assert task["spark_jar_task"]["parameters"] == PREDICT
    assert set(task["new_cluster"]["spark_conf"].values()) == {
        "/opt/sightline/environment/bin/python"
    }


def test_the_command_knows_every_target() -> None:
    for target in TARGETS:
        assert "environment.tar.gz" in submit_lines(target, RUN)
