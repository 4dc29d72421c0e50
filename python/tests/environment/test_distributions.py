"""The distributions that an archive has: what is required here, and no more."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from sightline.environment.distributions import (
    distribution_files,
    find_distributions,
    import_names,
)
from sightline.errors import WrongUseError


def install(
    site: Path, name: str, files: list[str], requires: list[str], record: str | None = None
) -> metadata.Distribution:
    """Write a distribution as pip does, and return it."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    for file in files:
        path = site / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    listed = "".join(f"{file},,\n" for file in files) if record is None else record
    if listed:
        (info / "RECORD").write_text(listed)
    return metadata.Distribution.at(info)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages of a user: vision needs base, base needs deep only with its extra gpu."""
    folder = tmp_path / "site"
    install(folder, "vision", ["vision/__init__.py"], ["base>=1", 'windows; os_name == "nt"'])
    install(folder, "base", ["base.py"], ['deep; extra == "gpu"', "vision"])
    install(folder, "deep", ["deep/__init__.py"], [])
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["deep"], ["deep"]),
        # Each needs the other, which ends; requirements of other systems are left out.
        (["vision"], ["base", "vision"]),
        (["vision", "Base[gpu]"], ["base", "deep", "vision"]),
    ],
)
@pytest.mark.usefixtures("site")
def test_what_a_package_requires_is_found_with_it(wanted: list[str], found: list[str]) -> None:
    assert list(find_distributions(wanted)) == found


def test_a_package_that_is_not_installed_is_an_error(site: Path) -> None:
    install(site, "broken", ["broken.py"], ["nowhere>=2"])
    with pytest.raises(WrongUseError, match="broken needs the package nowhere, which ") as raised:
        find_distributions(["broken"])
    assert raised.value.code == "MISSING_PACKAGE"
    assert "pip install 'nowhere>=2'" in raised.value.message


def test_a_package_whose_own_requirement_is_wrong_is_an_error(site: Path) -> None:
    install(site, "old", ["old.py"], ["pytz (>dev)"])
    with pytest.raises(WrongUseError, match=r"old requires 'pytz \(>dev\)', which is") as raised:
        find_distributions(["old"])
    assert raised.value.code == "PACKAGE_NOT_PACKABLE"


def test_a_text_that_is_no_requirement_is_an_error() -> None:
    with pytest.raises(WrongUseError, match="--package is 'a b'") as raised:
        find_distributions(["a b"])
    assert raised.value.code == "INVALID_OPTION"


def test_the_files_are_those_of_the_package_without_programs_and_compiled_files(
    tmp_path: Path,
) -> None:
    files = [
        *("vision/__init__.py", "vision/data/classes.txt", "vision/__pycache__/__init__.pyc"),
        *("../bin/vision", "vision_extra.py", "_hidden.py"),
    ]
    found = install(tmp_path / "site", "vision", files, [])
    assert [place for place, _ in distribution_files(found)] == [
        "site-packages/vision/__init__.py",
        "site-packages/vision/data/classes.txt",
        "site-packages/vision_extra.py",
        "site-packages/_hidden.py",
    ]
    assert import_names(found) == {"vision", "vision_extra"}


def test_of_pyspark_only_the_python_is_packed(tmp_path: Path) -> None:
    files = ["pyspark/__init__.py", "pyspark/sql/session.py", "pyspark/jars/core.jar"]
    found = install(tmp_path, "pyspark", files, [])
    assert [place for place, _ in distribution_files(found)] == [
        "site-packages/pyspark/__init__.py",
        "site-packages/pyspark/sql/session.py",
    ]


def test_a_package_in_editable_mode_is_an_error(tmp_path: Path) -> None:
    found = install(tmp_path, "mine", ["_mine.pth"], [])
    (tmp_path / "mine-1.0.dist-info" / "direct_url.json").write_text(
        '{"url": "file:///home/me/mine", "dir_info": {"editable": true}}'
    )
    with pytest.raises(WrongUseError, match="the package mine is installed in editable") as raised:
        list(distribution_files(found))
    assert raised.value.code == "PACKAGE_NOT_PACKABLE"


def test_a_package_without_a_list_of_its_files_is_an_error(tmp_path: Path) -> None:
    found = install(tmp_path, "system", ["system.py"], [], record="")
    with pytest.raises(WrongUseError, match="the package system has no list of its files"):
        list(distribution_files(found))
