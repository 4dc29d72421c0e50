"""A feed of another package for an input with free axes: the letters of a text as numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import Tensors
from sightline.engine.run import run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError

from .free_models import write_same

_PACKAGE = """
import numpy as np
from sightline.row_error import RowError

class CodesFeed:
    def __init__(self, input_, spec):
        pass

    def open(self, column):
        return self.column(column.to_pylist())

    def write(self, value, out):
        out[...] = value

    class column:
        def __init__(self, texts):
            self.values = [np.array([ord(one) for one in text or ""]) for text in texts]
            null = RowError("INVALID_INPUT", "feed", "The text is NULL.")
            self.errors = {row: null for row, text in enumerate(texts) if text is None}
            self.nbytes = sum(one.nbytes for one in self.values)

        def __getitem__(self, row):
            return self.values[row]

class ShapedCodesFeed(CodesFeed):
    class column(CodesFeed.column):
        def row_shape(self, row):
            return self.values[row].shape
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of sys.path with the feeds `codes` and `shaped_codes`."""
    metadata = tmp_path / "site" / "codes_feed-1.0.dist-info"
    metadata.mkdir(parents=True)
    (tmp_path / "site" / "codes_feed.py").write_text(_PACKAGE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: codes-feed\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[sightline.feeds]\ncodes = codes_feed:CodesFeed\n"
        "shaped_codes = codes_feed:ShapedCodesFeed\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    sys.modules.pop("codes_feed", None)


def open_with(folder: Path, feed: str) -> Model:
    path = write_same(folder, "int64", "letters")
    tree = json.loads((path / "model.json").read_text())
    tree["inputs"][0]["feed"] = {"kind": feed}
    (path / "model.json").write_text(json.dumps(tree))
    bundle = Bundle.load(path)
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))


def test_its_rows_have_different_lengths(site: None, tmp_path: Path) -> None:
    model = open_with(tmp_path / "same", "shaped_codes")
    texts = ["ab", "c", None, "de", "long text", "f"] * 20

    (found,) = run_scalar([pa.array(texts)], model, EngineSettings(), Tensors(("y",)))

    letters = [row.as_py() and "".join(map(chr, row.as_py()["y"])) for row in found]
    assert letters == texts


def test_a_feed_without_the_shapes_of_rows_is_refused(site: None, tmp_path: Path) -> None:
    model = open_with(tmp_path / "same", "codes")
    message = r"INVALID_BUNDLE: .*the feed 'codes' makes rows of one shape, but the input x: int64"
    with pytest.raises(WrongUseError, match=message):
        list(run_scalar([pa.array(["ab"])], model, EngineSettings(), Tensors(("y",))))
