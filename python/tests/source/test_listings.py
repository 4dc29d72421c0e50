"""Listed files: one table of cases for both languages, see ImageListingSuite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.errors import WrongUseError
from sightline.source.list_images import ImageSource, list_images

CASES = json.loads(Path(__file__).with_name("listings.json").read_text("utf-8"))


def make(case: dict[str, Any], folder: Path) -> None:
    texts = dict.fromkeys(case["files"], "x") | case.get("texts", {})
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name, target in case.get("links", {}).items():
        (folder / name).symlink_to(target)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_listed_files(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(case, tmp_path)
    images = f"{tmp_path}/{case['list']}".removesuffix("/.")
    source = ImageSource(images, include=case.get("include"), exclude=case.get("exclude"))
    listing = list_images(source)
    above = f"{listing.root}/"
    assert sorted(path.removeprefix(above) for path in listing.files) == sorted(case["rows"])
    assert listing.left_out == case["left_out"]
    passed_over = [path.removeprefix(f"{tmp_path}/") for path in listing.outputs]
    assert sorted(passed_over) == case.get("passed_over", [])
    number = sum(case["left_out"].values())
    reported = capsys.readouterr().err
    assert (f"{number} file{'' if number == 1 else 's'} left out (" in reported) == (number > 0)


def test_the_error_for_a_folder_without_images_has_the_number_of_skipped_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(WrongUseError, match=r"NO_IMAGES: .*1 file left out \(1 \.txt\)"):
        list_images(ImageSource(str(tmp_path)))
    with pytest.raises(WrongUseError, match=r"PATH_NOT_FOUND: .*\*\.jpg matches nothing"):
        list_images(ImageSource(f"{tmp_path}/*.jpg"))
    with pytest.raises(WrongUseError, match="INVALID_OPTION: --include is ' ,'"):
        list_images(ImageSource(str(tmp_path), include=" ,"))
    (tmp_path / "t.csv").write_text("path\na.txt\n")
    with pytest.raises(WrongUseError, match=r"WRONG_ARGUMENTS: --include .*t\.csv is a table"):
        list_images(ImageSource(f"{tmp_path}/t.csv", exclude="*"))
    assert len(list_images(ImageSource(f"{tmp_path}/t.csv"))) == 1
