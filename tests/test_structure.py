"""The rules of the source tree: package directions, Spark's internals, file sizes and names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SCALA = ROOT / "scala/src/main/scala"
# What differs between Sparks. Each jar has the files of one of these folders.
SPARKS = sorted((ROOT / "scala/src").glob("spark-*"))
FOLDERS = ("scala", "python", "tests", "benchmarks", "examples", "scripts")
MAX_LINES = 400
MAX_BRIDGE_LINES = 100
MAX_SPARK_LINES = 100

ERRORS_BRIDGE = "org.apache.spark.sightline"
SQL_BRIDGE = "org.apache.spark.sql.sightline"
ML_BRIDGE = "org.apache.spark.ml.sightline"

# Each package and the packages that it may import.
ALLOWED: dict[str, set[str]] = {
    ERRORS_BRIDGE: set(),
    ML_BRIDGE: set(),
    "sightline": {ERRORS_BRIDGE},
    SQL_BRIDGE: {"sightline"},
    "sightline.source": {"sightline", SQL_BRIDGE},
    "sightline.model": {"sightline", SQL_BRIDGE},
    "sightline.schedule": {"sightline", SQL_BRIDGE, "sightline.source", "sightline.model"},
    "sightline.plan": {
        "sightline",
        SQL_BRIDGE,
        "sightline.source",
        "sightline.model",
        "sightline.schedule",
    },
    "sightline.report": {"sightline", SQL_BRIDGE, "sightline.source", "sightline.schedule"},
    "sightline.pca": {"sightline", SQL_BRIDGE, ML_BRIDGE, "sightline.source", "sightline.schedule"},
    "sightline.train": {
        "sightline",
        SQL_BRIDGE,
        "sightline.source",
        "sightline.schedule",
        "sightline.report",
    },
    "sightline.ml": {
        "sightline",
        SQL_BRIDGE,
        ML_BRIDGE,
        "sightline.source",
        "sightline.model",
        "sightline.schedule",
        "sightline.plan",
        "sightline.report",
        "sightline.train",
    },
    "sightline.vectors": {"sightline", "sightline.source", "sightline.plan"},
    "sightline.sql": {
        "sightline",
        SQL_BRIDGE,
        "sightline.source",
        "sightline.model",
        "sightline.schedule",
        "sightline.plan",
        "sightline.vectors",
        "sightline.report",
    },
    "sightline.doctor": {
        "sightline",
        SQL_BRIDGE,
        "sightline.model",
        "sightline.report",
        "sightline.schedule",
    },
    "sightline.estimate": {
        "sightline",
        SQL_BRIDGE,
        "sightline.source",
        "sightline.model",
        "sightline.schedule",
        "sightline.plan",
        "sightline.report",
    },
    "sightline.cli": {
        "sightline",
        SQL_BRIDGE,
        "sightline.source",
        "sightline.model",
        "sightline.schedule",
        "sightline.plan",
        "sightline.report",
        "sightline.pca",
        "sightline.train",
        "sightline.sql",
        "sightline.doctor",
        "sightline.estimate",
    },
}

# The packages that may import classes of Spark's plans.
PLANNING = {"sightline.plan", SQL_BRIDGE}

IMPORT = re.compile(
    r"^\s*import ((?:sightline|org\.apache\.spark)[\w.]*)(\{[^}]*\})?", re.MULTILINE
)
INTERNAL = re.compile(r"^\s*import org\.apache\.spark\.sql\.(?:catalyst|execution)\b", re.MULTILINE)
INTERNAL_IN_BRACES = re.compile(
    r"^\s*import org\.apache\.spark\.sql\.\{[^}]*\b(?:catalyst|execution)\b"
)


def sources(*folders: str) -> Iterator[Path]:
    """The Scala and Python files in folders of the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".scala", ".py"} and not {"target", ".venv"} & set(path.parts):
                yield path


def scala_sources() -> Iterator[Path]:
    """The Scala files of all jars."""
    for folder in (SCALA, *SPARKS):
        yield from sorted(folder.rglob("*.scala"))


def package_of(path: Path) -> str:
    found = re.search(r"^package (\S+)$", path.read_text(), re.MULTILINE)
    assert found, f"{path} has no package clause"
    return found.group(1)


def imported(text: str) -> set[str]:
    """The packages of ALLOWED that a Scala source imports from."""
    names = set[str]()
    for prefix, braces in IMPORT.findall(text):
        members = re.findall(r"\w+", braces) or [""]
        names.update(f"{prefix.rstrip('.')}.{member}".rstrip(".") for member in members)
    return {package for name in names if (package := longest_package(name))}


def longest_package(name: str) -> str | None:
    """The longest package of ALLOWED that contains `name`; None if none does."""
    matching = [known for known in ALLOWED if name == known or name.startswith(f"{known}.")]
    return max(matching, key=len, default=None)


def test_every_scala_package_is_in_the_table() -> None:
    packages = {package_of(path) for path in scala_sources()}
    assert packages <= ALLOWED.keys()


def test_the_table_of_packages_has_no_cycle() -> None:
    TopologicalSorter(ALLOWED).prepare()


def test_a_scala_file_imports_only_the_packages_that_its_package_may_import() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {package}"
        for path in scala_sources()
        for package in sorted(imported(path.read_text()) - ALLOWED[package_of(path)])
        if package != package_of(path)
    ]
    assert wrong == []


def test_only_plan_and_the_bridge_import_classes_of_sparks_plans() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in scala_sources()
        if package_of(path) not in PLANNING
        and (INTERNAL.search(text := path.read_text()) or INTERNAL_IN_BRACES.search(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_source_file_is_longer_than_400_lines(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(folder)
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_a_file_of_a_bridge_package_is_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in sorted((SCALA / "org").rglob("*.scala"))
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAX_BRIDGE_LINES} == {}


def test_the_sources_of_one_spark_are_few() -> None:
    lines = {
        folder.name: sum(len(one.read_text().splitlines()) for one in folder.rglob("*.scala"))
        for folder in SPARKS
    }
    assert lines.keys() == {"spark-4.0", "spark-4.1-4.2"}
    assert max(lines.values()) <= MAX_SPARK_LINES, lines


def test_the_table_of_sparks_has_the_versions_of_the_locks_and_the_documents() -> None:
    table = (ROOT / "project/SparkVersion.scala").read_text()
    found = re.findall(r'SparkVersion\("([\d.]+)", "([\d.]+)", "[\d.]+", "([\w.-]+)"\)', table)
    assert {line for line, _, _ in found} == {"4.0", "4.1", "4.2"}
    documents = (ROOT / "docs/sparks.md").read_text()
    for line, version, folder in found:
        assert version.startswith(f"{line}.")
        assert ROOT / "scala/src" / folder in SPARKS
        lock = "requirements.lock" if line == "4.1" else f"project/spark-{line}.lock"
        assert re.search(
            rf"^pyspark(\[.*\])?=={re.escape(version)}\b", (ROOT / lock).read_text(), re.M
        )
        assert version in documents


def test_the_application_of_the_spark_operator_has_the_settings_of_spark_submit() -> None:
    lines = (ROOT / "deploy/kubernetes/spark.conf").read_text("utf-8").splitlines()
    submitted = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    pod = yaml.safe_load((ROOT / "deploy/kubernetes/pod.yaml").read_text("utf-8"))["spec"]
    text = (ROOT / "deploy/spark-operator/application.yaml").read_text("utf-8")
    spec = yaml.safe_load(text)["spec"]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert re.search(rf"^pyspark(\[.*\])?=={re.escape(spec['sparkVersion'])}\b", lock, re.M)
    kubernetes = "spark.kubernetes"
    assert (
        spec["sparkConf"]
        | {
            "spark.submit.deployMode": spec["mode"],
            f"{kubernetes}.container.image": spec["image"],
            f"{kubernetes}.authenticate.driver.serviceAccountName": spec["driver"][
                "serviceAccount"
            ],
            "spark.driver.memory": spec["driver"]["memory"],
            "spark.driver.memoryOverhead": spec["driver"]["memoryOverhead"],
            "spark.executor.instances": str(spec["executor"]["instances"]),
            "spark.executor.cores": str(spec["executor"]["cores"]),
            "spark.executor.memory": spec["executor"]["memory"],
            "spark.executor.memoryOverhead": spec["executor"]["memoryOverhead"],
            f"{kubernetes}.driver.podTemplateFile": "deploy/kubernetes/pod.yaml",
            f"{kubernetes}.executor.podTemplateFile": "deploy/kubernetes/pod.yaml",
        }
        == submitted
    )
    # What the other way has in the template of the pods.
    (container,) = pod["containers"]
    assert spec["volumes"] == pod["volumes"]
    assert spec["executor"]["tolerations"] == pod["tolerations"]
    for part in (spec["driver"], spec["executor"]):
        assert part["podSecurityContext"] == pod["securityContext"]
        assert part["securityContext"] == container["securityContext"]
        assert part["volumeMounts"] == container["volumeMounts"]


def test_no_two_python_modules_have_the_same_name() -> None:
    by_name = defaultdict[str, list[str]](list)
    for path in sources("python/src/sightline"):
        if path.name != "__init__.py":
            by_name[path.name].append(str(path.relative_to(ROOT)))
    assert [paths for paths in by_name.values() if len(paths) > 1] == []
