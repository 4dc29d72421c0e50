"""Which files --overwrite deletes."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sightline.cli.main import main

Encode = Callable[..., bytes]


def test_overwrite_replaces_the_whole_folder(
    images: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    assert predict(images, "--format", "csv") == 0
    assert predict(images, "--overwrite") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_run",
        "part-00000.parquet",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]


def test_an_existing_output_is_refused_before_any_work(
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "out").mkdir()
    assert predict(images) == 2
    assert capsys.readouterr().err.startswith(f"sightline: OUTPUT_EXISTS: {tmp_path}/out exists.")


def test_overwrite_never_removes_the_images(
    images: Path, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images / "red", "--output", str(images), "--overwrite") == 2
    assert f"OUTPUT_HOLDS_INPUT: {images} holds {images}/red" in capsys.readouterr().err
    assert (images / "red" / "a.png").exists()


@pytest.mark.parametrize(
    "path", ["{own}/a.png", "own/a.png", "x/../own/a.png", "file:{own}/a.png", "link/a.png"]
)
def test_overwrite_never_removes_files_in_a_table_of_paths(
    path: str, tmp_path: Path, encode: Encode, predict: Callable[..., int]
) -> None:
    own = tmp_path / "phötos 1"
    own.mkdir()
    (own / "a.png").write_bytes(encode("red"))
    (tmp_path / "own").symlink_to(own)
    (tmp_path / "link").symlink_to("own")
    (tmp_path / "t.csv").write_text(f"path\nnowhere.png\n{path.format(own=own)}\n")
    assert predict(tmp_path / "t.csv", "--output", str(own), "--overwrite") == 2
    assert [file.name for file in own.iterdir()] == ["a.png"]


def test_overwrite_never_removes_the_targets_of_links_in_the_folder(
    tmp_path: Path, encode: Encode, predict: Callable[..., int]
) -> None:
    own, links, folders = (tmp_path / name for name in ("own", "links", "folders"))
    for folder in (own, links, folders):
        folder.mkdir()
    (own / "a.png").write_bytes(encode("red"))
    (links / "b.png").symlink_to("../own/a.png")
    (folders / "c").symlink_to("../own")
    for listed in (links, folders, f"{tmp_path}/l*", f"{tmp_path}/f*/c/*.png"):
        assert predict(listed, "--output", str(own), "--overwrite") == 2
        assert (own / "a.png").exists()


def test_overwrite_never_removes_the_model(
    images: Path, colour_bundle: Path, tmp_path: Path, predict: Callable[..., int]
) -> None:
    output = str(colour_bundle.parent)
    assert predict(images, "--output", output, "--overwrite") == 2
    assert predict(images, "--output", f"{output}/colour", "--overwrite") == 2
    assert (colour_bundle / "model.json").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_overwrite_replaces_only_outputs_of_runs(
    kind: str,
    colour_bundle: Path,
    encode: Encode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode("red"))
    thesis = tmp_path / "out" / "thesis.txt" if kind == "folder" else tmp_path / "out"
    thesis.parent.mkdir(exist_ok=True)
    thesis.write_text("years of work", "utf-8")
    arguments = ["--images", str(tmp_path / "images"), "--output", str(tmp_path / "out")]
    assert main(["predict", *arguments, "--model", str(colour_bundle), "--overwrite"]) == 2
    assert "OUTPUT_NOT_OURS: " in capsys.readouterr().err
    assert thesis.read_text("utf-8") == "years of work"


def test_an_output_inside_the_model_or_the_table_is_refused(
    colour_bundle: Path, encode: Encode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode("red"))
    images, packed = str(tmp_path / "images"), str(tmp_path / "packed.parquet")
    assert main(["pack-images", "--images", images, "--output", packed]) == 0
    model = ["--model", str(colour_bundle)]
    for read, output in ((packed, f"{packed}/x"), (images, str(colour_bundle / "x"))):
        assert main(["predict", "--images", read, "--output", output, *model]) == 2
        assert "OUTPUT_IN_INPUT: " in capsys.readouterr().err
    assert not (colour_bundle / "x").exists()


def test_an_output_given_by_a_path_through_its_parent_is_replaced(
    colour_bundle: Path, encode: Encode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode("red"))
    (tmp_path / "out" / "_run").mkdir(parents=True)
    (tmp_path / "out" / "_run" / "run.json").write_text("{}", "utf-8")
    monkeypatch.chdir(tmp_path / "out")
    arguments = ["--images", str(tmp_path / "images"), "--output", "../out", "--overwrite"]
    assert main(["predict", *arguments, "--model", str(colour_bundle)]) == 0
    assert pq.read_table(tmp_path / "out")["prediction"][0].as_py()["label"] == "red"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]
