import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sightline.cli.main import main

Encode = Callable[..., bytes]


def test_features_come_with_label_file_name_and_split_or_with_an_error(
    means_bundle: Path, tmp_path: Path, encode: Encode, capsys: pytest.CaptureFixture[str]
) -> None:
    images = {
        "Training/warm/1.png": encode("red"),
        "Test/warm/2.png": encode((10, 20, 30)),
        "other/3.png": b"no image",
    }
    for name, content in images.items():
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    arguments = ["features", "--images", str(tmp_path / "images"), "--model", str(means_bundle)]
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 0
    rows = {row["filename"]: row for row in pq.read_table(tmp_path / "out").to_pylist()}
    assert [row["features"] for row in rows.values()] == [[10, 20, 30], [255, 0, 0], None]
    assert (rows["1.png"]["label"], rows["1.png"]["split"]) == ("warm", "train")
    assert (rows["2.png"]["label"], rows["2.png"]["split"]) == ("warm", "test")
    assert (rows["3.png"]["label"], rows["3.png"]["split"]) == ("other", None)
    assert rows["3.png"]["error"]["code"] == "UNSUPPORTED"
    record = json.loads((tmp_path / "out/_run/run.json").read_text())
    assert record["command"] == "features"
    assert record["counts"] == {"images": 3, "predicted": 2, "errors": {"UNSUPPORTED": 1}}
    assert "pca --features" in capsys.readouterr().out


def test_a_tables_split_column_is_used_and_its_features_column_is_replaced(
    means_bundle: Path, tmp_path: Path, encode: Encode
) -> None:
    (tmp_path / "Training").mkdir()
    (tmp_path / "Training" / "1.png").write_bytes(encode("red"))
    rows = "Training/1.png,held out,a\nTraining/1.png,Testing,b\n"
    (tmp_path / "table.csv").write_text(f"path,split,features\n{rows}")
    images, output = str(tmp_path / "table.csv"), str(tmp_path / "out")
    arguments = ["features", "--images", images, "--model", str(means_bundle)]
    assert main([*arguments, "--output", output]) == 0
    assert pq.read_table(output).column("split").to_pylist() == ["held out", "test"]
    assert pq.read_table(output).column("features").to_pylist() == [[255, 0, 0]] * 2
    record = json.loads((tmp_path / "out/_run/run.json").read_text())
    assert record["splits"] == {"held out": {"images": 1}, "test": {"images": 1}}
    assert record["images_root"] == str(tmp_path)


def test_folders_above_the_listed_folder_give_no_split(
    means_bundle: Path, tmp_path: Path, encode: Encode
) -> None:
    for name in ("test/photos/rose", "test/flowers/train/rose"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").write_bytes(encode("red"))
    splits = {}
    for images in ("photos", "flowers", "flowers/train"):
        output = str(tmp_path / "out" / images)
        arguments = ["features", "--images", str(tmp_path / "test" / images)]
        assert main([*arguments, "--model", str(means_bundle), "--output", output]) == 0
        splits[images] = pq.read_table(output).column("split").to_pylist()
    assert splits == {"photos": [None], "flowers": ["train"], "flowers/train": ["train"]}


def test_a_model_without_features_is_refused_before_the_first_image(
    colour_bundle: Path, tmp_path: Path, encode: Encode, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1.png").write_bytes(encode("red"))
    arguments = ["features", "--images", str(tmp_path / "1.png"), "--model", str(colour_bundle)]
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 2
    assert "NO_FEATURES: model colour has no output of features" in capsys.readouterr().err
