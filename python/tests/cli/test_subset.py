import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.cli.main import main

Encode = Callable[..., bytes]


@pytest.fixture
def fruits(tmp_path: Path, encode: Encode) -> Path:
    """60 apples and 20 pears in the training split, 20 apples and 4 pears in the test split."""
    folder = tmp_path / "fruits"
    picture = encode("red")
    counts = {"Training/Apple 1": 60, "Training/Pear": 20, "Test/Apple 1": 20, "Test/Pear": 4}
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for at in range(count):
            (folder / name / f"{at}_100.png").write_bytes(picture)
    return folder


def subset(images: object, output: Path, percentage: object, *more: str) -> int:
    arguments = ["--images", str(images), "--output", str(output), "--percentage", str(percentage)]
    return main(["subset", *arguments, *more])


def links_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}


def test_each_label_of_each_split_keeps_its_share(
    fruits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert subset(fruits, tmp_path / "tenth", 10) == 0
    counts = Counter(str(Path(name).parent) for name in links_in(tmp_path / "tenth"))
    # 10 % of four pears rounds to zero, and the minimum is one.
    expected = {"Training/Apple 1": 6, "Training/Pear": 2, "Test/Apple 1": 2, "Test/Pear": 1}
    assert counts == expected
    for name in links_in(tmp_path / "tenth"):
        link = tmp_path / "tenth" / name
        assert link.is_symlink()
        assert link.readlink() == fruits / name
    record = json.loads((tmp_path / "tenth/_run/run.json").read_text())
    assert record["counts"] == {"images_in": 104, "images": 11}
    assert record["strata"] == [
        {"split": "test", "label": "Apple 1", "images_in": 20, "images": 2},
        {"split": "test", "label": "Pear", "images_in": 4, "images": 1},
        {"split": "train", "label": "Apple 1", "images_in": 60, "images": 6},
        {"split": "train", "label": "Pear", "images_in": 20, "images": 2},
    ]
    assert [line.split()[:4] for line in capsys.readouterr().out.splitlines()[1:4]] == [
        ["test", "2", "24", "3"],
        ["train", "2", "80", "8"],
        ["all", "4", "104", "11"],
    ]


def test_samples_with_one_seed_are_nested_and_another_seed_gives_another_sample(
    fruits: Path, tmp_path: Path
) -> None:
    found = {}
    for percentage in (1, 5, 10, 25, 50, 100):
        assert subset(fruits, tmp_path / f"{percentage}", percentage) == 0
        found[percentage] = links_in(tmp_path / f"{percentage}")
    assert found[1] < found[5] < found[10] < found[25] < found[50] < found[100]
    assert found[100] == links_in(fruits)
    assert subset(fruits, tmp_path / "again", 25) == 0
    assert links_in(tmp_path / "again") == found[25]
    assert subset(fruits, tmp_path / "other", 25, "--seed", "1") == 0
    assert links_in(tmp_path / "other") != found[25]


def test_features_of_links_are_those_of_the_images(
    fruits: Path, tmp_path: Path, means_bundle: Path
) -> None:
    assert subset(fruits, tmp_path / "tenth", 10) == 0
    output = tmp_path / "features"
    arguments = ["--images", str(tmp_path / "tenth"), "--model", str(means_bundle)]
    assert main(["features", *arguments, "--output", str(output)]) == 0
    rows = pq.read_table(output).to_pylist()
    assert Counter((row["split"], row["label"]) for row in rows) == {
        ("train", "Apple 1"): 6,
        ("train", "Pear"): 2,
        ("test", "Apple 1"): 2,
        ("test", "Pear"): 1,
    }
    assert {tuple(row["features"]) for row in rows} == {(255.0, 0.0, 0.0)}


def test_a_manifest_names_the_same_images_and_is_read_as_a_table(
    fruits: Path, tmp_path: Path, means_bundle: Path
) -> None:
    assert subset(fruits, tmp_path / "links", 10) == 0
    assert subset(fruits, tmp_path / "listed", 10, "--manifest") == 0
    table = tmp_path / "listed/manifest.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert list(rows[0]) == ["path", "label"]
    named = {str(Path(row["path"]).relative_to(fruits)) for row in rows}
    assert named == links_in(tmp_path / "links")
    assert {row["label"] for row in rows} == {"Apple 1", "Pear"}
    arguments = ["--images", str(table), "--model", str(means_bundle)]
    assert main(["features", *arguments, "--output", str(tmp_path / "features")]) == 0
    splits = pq.read_table(tmp_path / "features", columns=["split"]).column(0).to_pylist()
    assert Counter(splits) == {"train": 8, "test": 3}


def test_a_table_gives_a_manifest_with_its_other_columns(fruits: Path, tmp_path: Path) -> None:
    table = tmp_path / "images.csv"
    lines = [f"fruits/Training/Pear/{at}_100.png,{at % 2},{at:03}" for at in range(20)]
    table.write_text("\n".join(["file,class_id,note", *lines, ""]))
    assert subset(table, tmp_path / "half", 50) == 0
    rows = list(csv.DictReader((tmp_path / "half/manifest.csv").read_text().splitlines()))
    assert len(rows) == 10  # without labels and splits they are one stratum
    for row in rows:
        assert row["path"] == str(tmp_path / row["file"])
        assert (row["label"], row["label_id"]) == ("", row["class_id"])
        assert len(row["note"]) == 3
    assert (fruits / "Training/Pear").is_dir()


def test_an_object_in_a_bucket_keeps_its_address(tmp_path: Path) -> None:
    table = tmp_path / "images.csv"
    table.write_text("path,label\ngs://bucket/Test/a.jpg,x\ngs://bucket/Training/b.jpg,x\n")
    assert subset(table, tmp_path / "few", 1) == 0
    rows = list(csv.DictReader((tmp_path / "few/manifest.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == ["gs://bucket/Test/a.jpg", "gs://bucket/Training/b.jpg"]


def test_a_name_that_is_not_utf8_can_be_linked_but_not_written_to_a_manifest(
    fruits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = bytes(fruits / "Test/Pear") + b"/\xff.png"
    Path(odd.decode("utf-8", "surrogateescape")).write_bytes(b"")
    assert subset(fruits, tmp_path / "links", 100) == 0
    assert len(links_in(tmp_path / "links")) == 105
    assert subset(fruits, tmp_path / "listed", 100, "--manifest") == 2
    assert "INVALID_NAME" in capsys.readouterr().err
    assert not (tmp_path / "listed").exists()


def test_an_existing_sample_is_replaced_only_with_overwrite_and_as_a_whole(
    fruits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "sample"
    assert subset(fruits, output, 10) == 0
    before = links_in(output)
    assert subset(fruits, output, 50) == 2
    assert "OUTPUT_EXISTS" in capsys.readouterr().err
    assert links_in(output) == before
    assert subset(fruits, output, 50, "--overwrite") == 0
    assert len(links_in(output)) == 52
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("percentage", ["0", "-1", "100.1", "nan", "some"])
def test_a_percentage_is_above_0_and_at_most_100(
    fruits: Path, tmp_path: Path, percentage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert subset(fruits, tmp_path / "sample", percentage) == 2
    assert "--percentage" in capsys.readouterr().err
    assert not (tmp_path / "sample").exists()


def test_wrong_use_is_refused_before_any_file_is_written(
    fruits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    packed = tmp_path / "packed.parquet"
    pq.write_table(pa.table({"path": ["a"], "content": [b"x"]}), packed)
    for images, output, expected in (
        (tmp_path / "gone", "sample", "PATH_NOT_FOUND"),
        (tmp_path / "empty", "sample", "NO_IMAGES"),
        (packed, "sample", "pack the sample"),
        (fruits, "fruits/sample", "OUTPUT_IN_INPUT"),
        (fruits, "fruits", "OUTPUT_HOLDS_INPUT"),
    ):
        assert subset(images, tmp_path / output, 10) == 2
        assert expected in capsys.readouterr().err
    assert not (tmp_path / "sample").exists()


def test_paths_are_compared_after_resolving_links(
    fruits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(fruits)
    assert subset(".", Path("../tenth"), 10) == 0
    # Replacing the images by links to themselves is refused, also through a link.
    (tmp_path / "link").symlink_to(tmp_path)
    assert subset(tmp_path / "link/fruits", fruits, 10, "--overwrite") == 2
    assert "which this run reads" in capsys.readouterr().err
    assert not (fruits / "Test/Pear/0_100.png").is_symlink()


def test_numeric_splits_are_written_as_strings(tmp_path: Path) -> None:
    table = {"path": ["a.jpg", "b.jpg", "c.jpg"], "split": pa.array([0, 1, None], pa.int32())}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    assert subset(tmp_path / "t.parquet", tmp_path / "out", 100) == 0
    record = json.loads((tmp_path / "out/_run/run.json").read_text())
    assert [stratum["split"] for stratum in record["strata"]] == [None, "0", "1"]


def test_the_dev_fruits_are_sampled_by_class_and_split(shared: Path, tmp_path: Path) -> None:
    assert subset(shared / "fruits/dev", tmp_path / "tenth", 10) == 0
    record = json.loads((tmp_path / "tenth/_run/run.json").read_text())
    assert record["counts"] == {"images_in": 1920, "images": 192}
    assert {stratum["images"] for stratum in record["strata"]} == {6, 2}
