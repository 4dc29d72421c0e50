import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from sightline.backends.backend import Array
from sightline.backends.onnx import OnnxSession

from .test_predict import rows_of


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("the shapes differ", "MODEL_FAILED: model colour failed on a batch of 4 images: "),
        ("std::bad_alloc", "OUT_OF_MEMORY: model colour, on a batch of 1 images, needs more "),
        ("CUDA out of memory.", "OUT_OF_MEMORY: model colour, on a batch of 1 images, needs more "),
    ],
)
def test_a_backend_that_fails_is_one_line_and_status_1(
    words: str,
    expected: str,
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr("sightline.backends.onnx.OnnxSession.run", fail)
    assert predict(images) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"sightline: {expected}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("most", "halved"), [(1, 2), (3, 1)])
def test_batches_get_smaller_if_memory_runs_out_and_the_rows_are_the_same(
    most: int,
    halved: int,
    images: Path,
    tmp_path: Path,
    predict: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert predict(images) == 0
    expected = rows_of(tmp_path)
    run = OnnxSession.run

    def limited(
        session: OnnxSession, feeds: Mapping[str, Array], wanted: Sequence[str]
    ) -> Mapping[str, Array]:
        if any(len(one) > most for one in feeds.values()):
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return run(session, feeds, wanted)

    monkeypatch.setattr(OnnxSession, "run", limited)
    capsys.readouterr()
    assert predict(images, "--overwrite") == 0
    assert rows_of(tmp_path) == expected
    said = "sightline: memory ran out when model colour ran on 4 rows; its batches have 2 from now "
    assert said in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "_run" / "run.json").read_text())
    assert record["worker"]["halved_batches"] == halved
