"""dist/sightline.jar contains the sources of this checkout, and neither Spark nor Scala."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def test_the_jar_contains_the_python_sources_of_this_checkout(jar: Path, repository: Path) -> None:
    with zipfile.ZipFile(jar) as outer:
        packed = io.BytesIO(outer.read("sightline-python.zip"))
    with zipfile.ZipFile(packed) as inner:
        found = {name: inner.read(name) for name in inner.namelist() if name.endswith(".py")}
    sources = repository / "python" / "src"
    expected = {
        file.relative_to(sources).as_posix(): file.read_bytes()
        for file in (sources / "sightline").rglob("*.py")
    }
    assert sorted(found) == sorted(expected)
    changed = [name for name in expected if found[name] != expected[name]]
    assert changed == [], "dist/sightline.jar is older than these: run `make setup`."


def test_the_jar_contains_no_class_of_spark(jar: Path, spark_home: Path) -> None:
    sparks = set[str]().union(*(classes(path) for path in spark_home.glob("jars/*.jar")))
    assert "scala/Predef.class" in sparks
    assert sorted(classes(jar) & sparks) == []


def classes(jar: Path) -> set[str]:
    with zipfile.ZipFile(jar) as archive:
        names = {name for name in archive.namelist() if name.endswith(".class")}
    return {
        name for name in names if not name.startswith("META-INF/") and "module-info" not in name
    }


def test_the_jar_can_be_started_without_naming_a_class(jar: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        manifest = archive.read("META-INF/MANIFEST.MF").decode()
    assert "Main-Class: sightline.cli.Main" in manifest.splitlines()
