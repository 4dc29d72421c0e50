import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sightline.cli.main import main
from sightline.source import write_packed

Encode = Callable[..., bytes]


@pytest.fixture
def photos(tmp_path: Path, encode: Encode) -> Path:
    folder = tmp_path / "photos"
    (folder / "red").mkdir(parents=True)
    (folder / "red" / "a.png").write_bytes(encode("red"))
    (folder / "red" / "bad.png").write_bytes(b"no image")
    (folder / "top.jpg").write_bytes(encode("blue", "JPEG"))
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    return folder


def pack(images: object, output: Path, *more: str) -> int:
    return main(["pack-images", "--images", str(images), "--output", str(output), *more])


def test_a_folder_becomes_a_table_of_its_files(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(photos, tmp_path / "p.parquet") == 0
    table = pq.read_table(tmp_path / "p.parquet")
    assert [f"{field.name} {field.type}" for field in table.schema] == [
        "path string",
        "relative_path string",
        "length int64",
        "modification_time timestamp[us, tz=UTC]",
        "label string",
        "content binary",
        "error struct<code: string, stage: string, message: string>",
    ]
    rows = {row["relative_path"]: row for row in table.to_pylist()}
    assert set(rows) == {"red/a.png", "red/bad.png", "top.jpg", "gone.jpg"}
    for name, row in rows.items():
        assert row["path"] == f"{photos}/{name}"
        if name != "gone.jpg":
            assert row["content"] == (photos / name).read_bytes()
            assert row["length"] == len(row["content"])
            assert row["modification_time"].timestamp() == pytest.approx(
                (photos / name).stat().st_mtime, abs=0.001
            )
    assert rows["red/a.png"]["label"] == "red"
    assert rows["gone.jpg"]["error"]["code"] == "NOT_FOUND"
    record = json.loads((tmp_path / "p.parquet" / "_run" / "run.json").read_text())
    assert record["counts"]["errors"] == {"NOT_FOUND": 1}
    assert "errors     1 (NOT_FOUND 1)" in capsys.readouterr().out


def test_predictions_of_the_table_are_those_of_the_folder(
    photos: Path, colour_bundle: Path, tmp_path: Path
) -> None:
    assert pack(photos, tmp_path / "p.parquet") == 0
    found = []
    for name, images in (("one", photos), ("two", tmp_path / "p.parquet")):
        arguments = ["--images", str(images), "--model", str(colour_bundle)]
        assert main(["predict", *arguments, "--output", str(tmp_path / name)]) == 0
        columns = ["path", "label", "prediction", "error"]
        found.append(pq.read_table(tmp_path / name, columns=columns).to_pylist())
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_row_groups_are_small_and_parts_end(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(30):
        (photos / f"{i:02}.bin").write_bytes(bytes([i]) * 300_000)
    monkeypatch.setattr(write_packed, "_PART_BYTES", 4_000_000)
    assert pack(photos, tmp_path / "p.parquet", "--include", "*") == 0
    parts = sorted((tmp_path / "p.parquet").glob("*.parquet"))
    assert [part.name for part in parts] == [f"part-0000{i}.parquet" for i in range(3)]
    for part in parts:
        metadata = pq.read_metadata(part)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        assert max(group.total_byte_size for group in groups) < 3_000_000
        assert {group.column(0).compression for group in groups} == {"UNCOMPRESSED"}
    assert pq.read_table(tmp_path / "p.parquet").num_rows == 34


def test_a_table_of_paths_keeps_its_columns(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "cards.csv"
    table.write_text(f"file,class,class_id,note\n{photos}/red/a.png,red,0,007\nnone.png,blue,2,x\n")
    assert pack(table, tmp_path / "p.parquet") == 0
    rows = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert list(rows[0]) == [
        *("file", "class", "class_id", "note"),
        *("path", "label", "label_id", "length", "content", "error"),
    ]
    assert (rows[0]["label"], rows[0]["label_id"], rows[0]["note"]) == ("red", 0, "007")
    assert rows[0]["length"] == len(rows[0]["content"])
    assert (rows[1]["length"], rows[1]["error"]["code"]) == (None, "NOT_FOUND")


def test_wrong_use_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(photos, tmp_path / "table") == 2
    assert "must end in .parquet" in capsys.readouterr().err
    assert pack(tmp_path / "none", tmp_path / "p.parquet") == 2
    assert pack(photos, tmp_path / "p.parquet") == 0
    assert pack(photos, tmp_path / "p.parquet") == 2
    assert "OUTPUT_EXISTS" in capsys.readouterr().err
    assert pack(tmp_path / "p.parquet", tmp_path / "p.parquet", "--overwrite") == 2
    assert pack(photos, tmp_path / "p.parquet", "--overwrite", "--limit", "1") == 0
    assert pq.read_table(tmp_path / "p.parquet").num_rows == 1
