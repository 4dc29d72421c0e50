import shutil
from pathlib import Path

import pytest

from sightline.bundle.bundle import Bundle
from sightline.bundle.find import find_bundle, known_models, search_folders
from sightline.errors import WrongUseError


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SIGHTLINE_MODELS", raising=False)
    return folder


def test_the_given_folder_has_priority_over_the_variable_and_the_working_folder(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in ("asked", "variable", "work/models"):
        shutil.copytree(tiny.path, tmp_path / root / "net")
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "variable"))

    assert find_bundle("net", tmp_path / "asked").path == tmp_path / "asked/net"
    assert find_bundle("net").path == tmp_path / "variable/net"
    monkeypatch.delenv("SIGHTLINE_MODELS")
    assert find_bundle("net").path == Path("models/net")


def test_a_bundle_in_the_working_folder_is_found_by_its_path_and_not_by_its_name(
    tiny: Bundle, tmp_path: Path, working_folder: Path
) -> None:
    for place in ("asked/net", "work/net", "work/alone"):
        shutil.copytree(tiny.path, tmp_path / place)

    assert find_bundle("net", tmp_path / "asked").path == tmp_path / "asked/net"
    assert find_bundle("./net", tmp_path / "asked").path == Path("net")
    with pytest.raises(WrongUseError, match=r"^UNKNOWN_MODEL: 'alone'\."):
        find_bundle("alone", tmp_path / "asked")


def test_a_bundle_is_found_by_its_path(tiny: Bundle) -> None:
    assert find_bundle(str(tiny.path)).sha256 == tiny.sha256


def test_a_folder_of_that_name_without_a_manifest_does_not_hide_the_model(
    tiny: Bundle, working_folder: Path
) -> None:
    (working_folder / "tiny").mkdir()

    assert find_bundle("tiny", tiny.path.parent).path == tiny.path


def test_a_zip_is_found_by_name(tiny: Bundle, tmp_path: Path) -> None:
    root = tmp_path / "zips"
    root.mkdir()
    shutil.make_archive(str(root / "packed"), "zip", tiny.path)

    assert find_bundle("packed", root).sha256 == tiny.sha256


@pytest.mark.parametrize("name", ["resnet5", "./resnet5", "/nowhere/resnet5"])
def test_the_error_for_an_unknown_model_lists_the_known_ones(tiny: Bundle, name: str) -> None:
    with pytest.raises(WrongUseError, match=f"^UNKNOWN_MODEL: '{name}'. Known: .*tiny"):
        find_bundle(name, tiny.path.parent)


def test_hidden_drafts_are_not_models(tiny: Bundle) -> None:
    shutil.copytree(tiny.path, tiny.path.parent / ".draft")

    assert ".draft" not in known_models(tiny.path.parent)


@pytest.mark.parametrize(
    ("package", "built_in"),
    [
        ("lib/site-packages/sightline", "lib/site-packages/sightline/models"),
        ("repository/python/src/sightline", "repository/models"),
        ("userFiles/sightline.zip/sightline", "userFiles/sightline.zip/sightline/models"),
    ],
)
def test_built_in_models_are_found_from_any_working_folder(
    package: str, built_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.__file__", f"/{package}/__init__.py")

    assert search_folders()[-1] == Path(f"/{built_in}")
