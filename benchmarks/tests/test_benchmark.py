import json
from pathlib import Path

import pytest

from harness.checkout import MODELS
from harness.cli import main
from harness.contenders import CONTENDERS
from harness.inputs import prepare_inputs
from harness.programs import PROGRAMS


def test_a_quick_run_measures_the_raw_parts_a_loop_and_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (MODELS / "efficientnet_lite0").is_dir():
        pytest.skip("models/efficientnet_lite0 is missing: run `make setup`")
    chosen = "raw-inference,raw-decode,loop,engine"
    arguments = ["--quick", "--regime", "heavy", "--contenders", chosen]
    assert main([*arguments, "--work", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "results.json").read_text())
    (heavy,) = record["regimes"]
    rows = {row["name"]: row for row in heavy["contenders"]}
    assert list(rows) == chosen.split(",")
    for name, row in rows.items():
        assert row["skipped"] is None
        assert len(row["warm"]) == 1
        assert len(row["cold"]) == (name in ("loop", "engine"))
        assert row["warm"][0]["large"]["images"] == 2 * row["images"]
        assert row["warm"][0]["large"]["cpu_s"] > 0
        assert row["agreement"] is None or row["agreement"]["verdict"] == "exact"
    assert rows["engine"]["warm"][0]["large"]["counters"]["images"] == 32
    assert "CPU-ms per image" in capsys.readouterr().out


def test_an_unknown_contender_is_an_error_that_lists_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--contenders", "sparrow", "--work", str(tmp_path)]) == 2
    assert "UNKNOWN_CONTENDER: 'sparrow'. Known: raw-inference, " in capsys.readouterr().err


def test_contenders_have_unique_names_and_known_programs() -> None:
    assert len({contender.name for contender in CONTENDERS}) == len(CONTENDERS)
    assert {contender.program for contender in CONTENDERS} == set(PROGRAMS)


def test_inputs_have_the_same_images_in_each_form(tmp_path: Path) -> None:
    import pyarrow.dataset as ds

    sources = []
    for name in ("a", "b", "c"):
        sources.append(tmp_path / f"{name}.jpg")
        sources[-1].write_bytes(name.encode())
    inputs = prepare_inputs(sources, 10, tmp_path / "in")
    files = sorted(inputs.folder.iterdir())
    assert [file.read_bytes() for file in files] == [
        b"abc"[at % 3 : at % 3 + 1] for at in range(10)
    ]
    packed = ds.dataset(inputs.packed).to_table()
    assert packed.column("content").to_pylist() == [file.read_bytes() for file in files]
    assert packed.column("path").to_pylist() == [str(file) for file in files]
    assert ds.dataset(inputs.paths).to_table().column("path").to_pylist() == [*map(str, files)]
    assert prepare_inputs(sources, 10, tmp_path / "in") == inputs
