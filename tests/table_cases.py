"""The tables of `test_tables.py`, each with the expected result in both languages."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
Paint = Callable[..., bytes]


@dataclass(frozen=True)
class Case:
    """A table, its options, and the expected result in both languages.

    Args:
        table: Its name, below the folder of the images ``r.png`` (red) and ``b.png`` (blue).
        write: Writes it there, given images' bytes by colour.
        rows: Each as columns by name, without prediction and error: ``says`` is the predicted
            label or the error's code. In the order of ``path``.
        refused: The error's condition instead, and what else its line says.
        notes: Other expected texts on stderr.
    """

    table: str
    write: Callable[[Path, Paint], None]
    rows: Sequence[Row] = ()
    options: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def text(content: str, encoding: str = "utf-8") -> Callable[[Path, Paint], None]:
    def write(file: Path, paint: Paint) -> None:
        del paint
        file.write_bytes(content.encode(encoding))

    return write


def parquet(
    columns: Callable[[Paint], dict[str, Any]], metadata: dict[str, Any] | None = None
) -> Callable[[Path, Paint], None]:
    def write(file: Path, paint: Paint) -> None:
        table = pa.table(columns(paint))
        if metadata is not None:
            table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
        pq.write_table(table, file, row_group_size=1)

    return write


def two_parts(file: Path, paint: Paint) -> None:
    for split, colours in (("train", ["red", "blue"]), ("test", ["blue"])):
        part = file / split / "part-0.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(pa.table({"content": [paint(colour) for colour in colours]}), part)


def holding_an_output(file: Path, paint: Paint) -> None:
    record = file / "run1" / "_run" / "run.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"command": "predict"}', "utf-8")
    rows = pa.table({"content": [paint("red")]})
    pq.write_table(rows, file / "part-0.parquet")
    pq.write_table(rows, file / "run1" / "part-0.parquet")


def listed(paint: Paint) -> dict[str, Any]:
    """Columns with the paths of the two images, for tests of the other columns."""
    del paint
    return {"path": ["b.png", "r.png"]}


def hugging_face(paint: Paint) -> dict[str, Any]:
    images = [{"bytes": paint("red"), "path": "r"}, {"bytes": paint("blue"), "path": None}]
    return {"image": [*images, None], "label": pa.array([0, 1, -1], pa.int64())}


CLASSES = {"info": {"features": {"label": {"names": ["rot", "blau"], "_type": "ClassLabel"}}}}
NANOS = dt.datetime(2024, 5, 6, 7, 8, 9, 123456)
RED = {"path": "r.png", "label": None, "label_id": None, "says": "red"}
BLUE = {"path": "b.png", "label": None, "label_id": None, "says": "blue"}

CASES = {
    "the path of bytes without a path is their file and row": Case(
        "bytes.parquet",
        parquet(lambda paint: {"content": [paint("red"), None], "n": [7, 8]}),
        [
            {"n": 7, **RED, "path": "bytes.parquet#0"},
            {"n": 8, **RED, "path": "bytes.parquet#1", "says": "EMPTY"},
        ],
    ),
    "the path in a folder of parts is relative to the folder": Case(
        "parts ü%20.parquet",
        two_parts,
        [
            {**BLUE, "path": "test/part-0.parquet#0"},
            {**RED, "path": "train/part-0.parquet#0"},
            {**BLUE, "path": "train/part-0.parquet#1"},
        ],
    ),
    "a nested column of Hugging Face, with the names of its classes": Case(
        "hf.parquet",
        parquet(hugging_face, CLASSES),
        [
            {
                "image": {"path": "r"},
                "input_label": 0,
                **RED,
                "path": "hf.parquet#0",
                "label": "rot",
            },
            {
                "image": {"path": None},
                "input_label": 1,
                **BLUE,
                "path": "hf.parquet#1",
                "label": "blau",
            },
            {"image": None, "input_label": -1, **RED, "path": "hf.parquet#2", "says": "EMPTY"},
        ],
        ("--content-column", "image.bytes"),
        notes=("2 of 2 true labels are none of colour's: 'blau' (1), 'rot' (1).",),
    ),
    "a nested path, and a class number without a name": Case(
        "nested.parquet",
        parquet(
            lambda paint: {
                "meta": [{"file": "r", "jpeg": {"data": paint("red")}}],
                "label": pa.array([0], pa.int32()),
            }
        ),
        [{"meta": {"file": "r"}, **RED, "path": "r", "label_id": 0}],
        ("--content-column", "meta.jpeg.data", "--path-column", "meta.file"),
    ),
    "unused columns of unsupported types cause no error": Case(
        "odd.parquet",
        parquet(
            lambda paint: (
                listed(paint)
                | {
                    "ns": pa.array([None, NANOS], pa.timestamp("ns")),
                    "utc": pa.array(
                        [None, NANOS.replace(tzinfo=dt.UTC)], pa.timestamp("ns", "UTC")
                    ),
                    "old": pa.array([-1, -1_000_000_001], pa.timestamp("ns")),
                    "list": pa.array([None, [NANOS]], pa.list_(pa.timestamp("ns"))),
                    "took": pa.array([None, 5], pa.duration("us")),
                    "time": pa.array([None, dt.time(1)], pa.time64("ns")),
                    "half": pa.array([None, 1.5], pa.float16()),
                    "big": pa.array([None, Decimal(1)], pa.decimal256(50, 1)),
                    "u64": pa.array([None, 2**64 - 1], pa.uint64()),
                    "map": pa.array([None, [("k", 1)]], pa.map_(pa.string(), pa.int64())),
                    "raw": [None, b"\x00\xff"],
                }
            )
        ),
        [
            {
                **dict.fromkeys(("ns", "utc")),
                "old": dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
                **dict.fromkeys(("list", "took", "u64", "map", "raw")),
                **BLUE,
            },
            {
                "ns": NANOS,
                "utc": NANOS.replace(tzinfo=dt.UTC),
                "old": dt.datetime(1969, 12, 31, 23, 59, 58, 999999),
                "list": [1714979289123456000],
                "took": 5,
                "u64": 2**64 - 1,
                "map": [("k", 1)],
                "raw": b"\x00\xff",
                **RED,
            },
        ],
        notes=("columns left out, since Spark has no type for them: time, half, big",),
    ),
    "columns with the names of output columns are kept under other names": Case(
        "ours.parquet",
        parquet(
            lambda paint: {
                "path": ["x", "y"],
                "image_path": ["b.png", "r.png"],
                "Prediction": ["old", None],
                "error": [1, 2],
                "content": ["text", "text"],
                "prediction_label": [None, "cat"],
                "input_error": [True, False],
                "features": [[1.5], []],
            }
        ),
        [
            {
                "input_path": "x",
                "image_path": "b.png",
                "input_Prediction": "old",
                "input_input_error": 1,
                "input_content": "text",
                "input_prediction_label": None,
                "input_error": True,
                "input_features": [1.5],
                **BLUE,
            },
            {
                "input_path": "y",
                "image_path": "r.png",
                "input_Prediction": None,
                "input_input_error": 2,
                "input_content": "text",
                "input_prediction_label": "cat",
                "input_error": False,
                "input_features": [],
                **RED,
            },
        ],
        ("--path-column", "image_path"),
    ),
    "two columns whose names differ only by case": Case(
        "case.parquet",
        parquet(lambda paint: listed(paint) | {"Label": [1, 2], "label": [1, 2]}),
        refused=("BAD_TABLE", "columns 'Label' and 'label' differ only in case"),
    ),
    "an output of a run inside the folder of parts": Case(
        "outer.parquet",
        holding_an_output,
        refused=("BAD_TABLE", "outer.parquet/run1 in it is the output of a run; move it"),
    ),
    "semicolons": Case(
        "semicolons.csv",
        text('path;note;label\nr.png;"a;b, ""c""";red\nb.png;;\n'),
        [{"note": None, **BLUE}, {"note": 'a;b, "c"', **RED, "label": "red"}],
        ("--delimiter", ";"),
    ),
    "semicolons without the option for the delimiter": Case(
        "untold.csv",
        text("path;note\nr.png;x\n"),
        refused=("UNKNOWN_COLUMN", "It has one column only", "--delimiter"),
    ),
    "tabs": Case(
        "tabs.csv", text("path\tn\r\nr.png\t1\r\n"), [{"n": "1", **RED}], ("--delimiter", "tab")
    ),
    "a name that ends in tsv": Case(
        "tabs.tsv", text("path\tn\nr.png\t1,2\n"), [{"n": "1,2", **RED}]
    ),
    "windows-1252": Case(
        "western.csv",
        text("path,größe\nr.png,5 €\n", "windows-1252"),
        [{"größe": "5 €", **RED}],
        ("--encoding", "windows-1252"),
    ),
    "another encoding without the option for it": Case(
        "latin.csv",
        text("path,n\nr.png,größe\n", "latin-1"),
        refused=("BAD_TABLE", "its bytes are not text in utf-8", "--encoding"),
    ),
    "an unknown encoding": Case(
        "plain.csv",
        text("path\nr.png\n"),
        refused=("INVALID_OPTION", "--encoding is 'klingon'"),
        options=("--encoding", "klingon"),
    ),
    "an invalid delimiter": Case(
        "plain2.csv",
        text("path\nr.png\n"),
        refused=("INVALID_OPTION", "--delimiter is '||'. It must be one character"),
        options=("--delimiter", "||"),
    ),
    "UTF-16 as Excel writes it": Case(
        "excel.csv",
        text("\ufeffpath\tnäme\nr.png\tü😀\n", "utf-16-le"),
        [{"näme": "ü😀", **RED}],
        ("--delimiter", "\\t"),
    ),
    "UTF-16 without a byte order mark": Case(
        "be.csv",
        text("path,n\nr.png,ü\n", "utf-16-be"),
        [{"n": "ü", **RED}],
        ("--encoding", "utf-16"),
    ),
    "UTF-8 with a byte order mark, and a replacement character in the text": Case(
        "mark.csv", text("\ufeffpath,n\nr.png,\ufffd\n"), [{"n": "\ufffd", **RED}]
    ),
    "short rows, empty lines, and empty fields beyond the header": Case(
        "ragged.csv",
        text("path,a,b\nr.png\n\nb.png,x,y, ,\n"),
        [{"a": "x", "b": "y", **BLUE}, {"a": None, "b": None, **RED}],
    ),
    "a row with more fields than the header": Case(
        "long.csv",
        text("path,a\nr.png,x\nb.png,y,lost\n"),
        refused=("BAD_TABLE", "no column is there for 'lost'", "--delimiter"),
    ),
    "two columns whose names differ by case, and one without a name": Case(
        "twice.csv",
        text("path,note,Note,note_2,,label,label\nr.png,1,2,3,4,red,rot\n"),
        [
            {"note": "1", "Note_3": "2", "note_2": "3", "_c4": "4", "label_2": "rot"}
            | RED
            | {"label": "red"}
        ],
    ),
    "true labels that match no class": Case(
        "labels.csv",
        text("path,label\nb.png, green \nr.png,Red\n"),
        [{**BLUE, "label": " green "}, {**RED, "label": "Red"}],
        notes=("2 of 2 true labels are none of colour's: ' green ' (1), 'Red' (1).",),
    ),
}
