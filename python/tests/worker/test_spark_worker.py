import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.bundle.bundle import Bundle
from sightline.cli.main import main
from sightline.engine import arrow_types
from sightline.engine.counters import Counters
from sightline.errors import SightlineError
from sightline.worker import spark_worker
from sightline.worker.spark_worker import bulk, scalar

Encode = Callable[..., bytes]


def spec_of(bundle: Path, **changes: object) -> str:
    model = {"name": "colour", "sha256": Bundle.load(bundle).sha256, "folder": str(bundle)}
    return spec_of_nothing(**({"model": model} | changes))


def spec_of_nothing(**changes: object) -> str:
    spec: dict[str, object] = {
        "protocol": 4,
        "backend": "onnx",
        "precision": "fp32",
        "device": "auto",
        "allow_code": False,
        "local": True,
        "threads": 1,
        "gpus": 0.0,
        "batch_rows": 4,
        "casts": "exact",
        "images": {"decoder": "fast", "max_bytes": 1_000_000, "max_pixels": 1_000_000},
        "result": {"kind": "top_k", "k": 2},
        "columns": {"inputs": ["__input0"], "error": "__error"},
    }
    return json.dumps(spec | changes)


def batch_of(*contents: bytes | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array([str(i) for i in range(len(contents))]),
            pa.array(contents, pa.binary()),
            pa.nulls(len(contents), arrow_types.ERROR),
        ],
        ["path", "__input0", "__error"],
    )


def test_bulk_maps_batch_for_batch(colour_bundle: Path, encode: Encode) -> None:
    batches = [batch_of(encode("red")), batch_of(encode("blue"), b"text")]
    found = list(bulk(spec_of(colour_bundle))(iter(batches)))
    assert [batch.num_rows for batch in found] == [1, 2]
    assert found[0].schema.names == ["path", "label", "class_id", "score", "top_k", "error"]
    assert found[1].column("label")[0].as_py() == "blue"


def test_predictions_in_spark_and_in_the_python_package_are_bitwise_equal(
    colour_bundle: Path, encode: Encode, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    contents = [encode((i * 20, 90, 255 - i * 20)) for i in range(10)] + [b"text"]
    for i, content in enumerate(contents):
        (tmp_path / "images" / f"{i:02}.png").write_bytes(content)
    arguments = ["--images", str(tmp_path / "images"), "--output", str(tmp_path / "out")]
    assert main(["predict", *arguments, "--model", str(colour_bundle), "--threads", "1"]) == 0
    alone = pq.read_table(tmp_path / "out" / "part-00000.parquet")
    spec = spec_of(colour_bundle, batch_rows=32, result={"kind": "top_k", "k": 5})
    in_spark = pa.Table.from_batches(bulk(spec)(iter([batch_of(*contents)])))
    assert alone.column("error").to_pylist() == in_spark.column("error").to_pylist()
    fields = in_spark.select(["label", "class_id", "score", "top_k"]).to_pylist()
    predicted = [row if row["label"] else None for row in fields]
    assert alone.column("prediction").to_pylist() == predicted


def test_scalar_maps_array_for_array(colour_bundle: Path, encode: Encode) -> None:
    arrays = [pa.array([encode("red")], pa.binary()), pa.array([None], pa.binary())]
    found = list(scalar(spec_of(colour_bundle, columns=None))(iter(arrays)))
    assert [array.to_pylist() and len(array) for array in found] == [1, 1]
    assert found[0][0].as_py()["label"] == "red"


def test_a_scalar_call_of_several_arguments_gets_a_tuple_of_arrays(
    colour_bundle: Path, encode: Encode
) -> None:
    call = scalar(spec_of(colour_bundle, columns=None))
    (found,) = call(iter([(pa.array([encode("red")], pa.binary()),)]))
    assert found[0].as_py()["label"] == "red"


def test_probabilities_are_those_of_every_class(colour_bundle: Path, encode: Encode) -> None:
    call = scalar(spec_of(colour_bundle, result={"kind": "probabilities"}))
    (found,) = call(iter([pa.array([encode("red")], pa.binary())]))
    assert len(found[0].as_py()["probabilities"]) == 3


def test_an_empty_partition_loads_no_model(
    colour_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_of(colour_bundle, model={"name": "x", "sha256": "0", "folder": "/nowhere"})
    assert list(bulk(spec)(iter([]))) == []
    assert list(scalar(spec)(iter([]))) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("wanted", "batches"), [("auto", 4), (7, 1)])
def test_a_task_has_the_batches_that_were_measured_for_the_model(
    wanted: object,
    batches: int,
    colour_bundle: Path,
    encode: Encode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sized = tmp_path / "sized"
    shutil.copytree(colour_bundle, sized)
    manifest = replace(Bundle.load(sized).manifest, batch_rows={"onnx": 2})
    (sized / "model.json").write_bytes(manifest.to_json())
    sent: list[Counters] = []
    monkeypatch.setattr(spark_worker, "send_counters", sent.append)

    found = bulk(spec_of(sized, batch_rows=wanted))(iter([batch_of(*[encode("red")] * 7)]))

    assert [batch.column("label").to_pylist() for batch in found] == [["red"] * 7]
    assert [one.batches for one in sent] == [batches]


def test_a_bulk_spec_without_columns_is_refused(colour_bundle: Path) -> None:
    with pytest.raises(
        SightlineError,
        match="PROTOCOL_MISMATCH: the jar's plan for record batches names no columns",
    ):
        bulk(spec_of(colour_bundle, columns=None))


def test_the_error_for_another_protocol_has_both_numbers(colour_bundle: Path) -> None:
    for factory in (bulk, scalar):
        with pytest.raises(
            SightlineError, match=r"PROTOCOL_MISMATCH: .*protocol 7.*has protocol 4"
        ):
            factory(spec_of(colour_bundle, protocol=7))


def test_a_bundle_that_is_not_the_resolved_one_is_refused(
    colour_bundle: Path, encode: Encode
) -> None:
    model = {"name": "colour", "sha256": "f" * 64, "folder": str(colour_bundle)}
    with pytest.raises(SightlineError, match="MODEL_CHANGED: colour was resolved to sha256 ffff"):
        list(bulk(spec_of(colour_bundle, model=model))(iter([batch_of(encode("red"))])))


def test_a_model_that_was_replaced_after_the_first_task_is_named_as_changed(
    colour_bundle: Path, encode: Encode, tmp_path: Path
) -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    folder = tmp_path / "replaced"
    shutil.copytree(colour_bundle, folder)
    own = replace(Bundle.load(folder).manifest, description="No other test opens it.")
    (folder / "model.json").write_bytes(own.to_json())
    first, second = spec_of(folder), spec_of(folder, backend="openvino")  # it opens a new session
    list(bulk(first)(iter([batch_of(encode("red"))])))
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(SightlineError, match=r"^BUNDLE_CORRUPT: .*'model.onnx' has changed"):
        list(bulk(second)(iter([batch_of(encode("red"))])))
    shutil.rmtree(folder)
    shutil.copytree(Path(__file__).parents[3] / "models" / "id_fraud", folder)
    with pytest.raises(SightlineError, match=r"^MODEL_CHANGED: colour was resolved to sha256"):
        list(bulk(second)(iter([batch_of(encode("red"))])))


def test_the_second_task_of_a_worker_reads_no_file_of_the_bundle(
    colour_bundle: Path, encode: Encode, tmp_path: Path
) -> None:
    bundle = tmp_path / "shipped"
    shutil.copytree(colour_bundle, bundle)
    spec = spec_of(bundle, result={"kind": "top_k", "k": 3})
    (first,) = bulk(spec)(iter([batch_of(encode("red"))]))
    for file in bundle.iterdir():
        file.write_bytes(b"")
    (second,) = bulk(spec)(iter([batch_of(encode("red"))]))
    assert second.equals(first)
    assert first.column("label")[0].as_py() == "red"


def test_column_types_are_those_that_spark_converts_to() -> None:
    from pyspark.sql.pandas.types import to_arrow_type
    from pyspark.sql.types import (
        ArrayType,
        FloatType,
        IntegerType,
        MapType,
        StringType,
        StructType,
    )

    text, number, score = StringType(), IntegerType(), FloatType()
    error = StructType().add("code", text).add("stage", text).add("message", text)
    best = StructType().add("label", text).add("class_id", number).add("score", score)
    prediction = StructType.fromJson(best.jsonValue()).add("top_k", ArrayType(best))
    inference = (
        StructType()
        .add("label", text)
        .add("class_id", number)
        .add("confidence", score)
        .add("probabilities", MapType(text, score))
    )
    assert to_arrow_type(error) == arrow_types.ERROR
    assert to_arrow_type(prediction) == arrow_types.PREDICTION
    assert to_arrow_type(inference) == arrow_types.PROBABILITIES
    assert to_arrow_type(ArrayType(score)) == arrow_types.FEATURES.type
