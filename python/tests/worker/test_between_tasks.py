import gc
import importlib
import sys
import zipfile
from pathlib import Path

import pytest

from sightline.worker import task
from sightline.worker.task import begin_task


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "_tasks", 0)


def importable_zip(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A zip on the path, with a finder for it and one for a package in it."""
    archive = folder / name
    module = archive.stem.replace("-", "_").replace(".", "_")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{module}_one/__init__.py", "")
        file.writestr(f"{module}_one/two.py", "number = 2")
    monkeypatch.syspath_prepend(str(archive))
    importlib.import_module(f"{module}_one")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{module}_one.none")
    return module


def finders(archive: str) -> list[str]:
    return [name for name in sys.path_importer_cache if archive in name]


def test_finders_of_sparks_archives_are_removed_and_their_modules_can_still_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable_zip(tmp_path, "pyspark.zip", monkeypatch)
    assert len(finders("pyspark.zip")) >= 2
    begin_task()
    assert finders(str(tmp_path / "pyspark.zip")) == []
    assert importlib.import_module("pyspark_one.two").number == 2


def test_a_users_archive_keeps_its_finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importable_zip(tmp_path, "mine.zip", monkeypatch)
    before = finders("mine.zip")
    begin_task()
    assert finders("mine.zip") == before != []


def test_loaded_objects_are_frozen_when_the_second_task_begins() -> None:
    for frozen in (False, True, True):
        begin_task()
        assert (gc.get_freeze_count() > 0) == frozen
