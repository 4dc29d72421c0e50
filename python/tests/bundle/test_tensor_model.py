"""A model of numbers is verified, described and run; commands for images refuse it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
import safetensors.numpy
from click.testing import CliRunner

from sightline.backends.backend import Array
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.backends.onnx import OnnxSession
from sightline.backends.registry import find_backend
from sightline.backends.require_supported import require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle
from sightline.bundle.golden import agrees, deltas, read_golden
from sightline.bundle.list_models import list_bundles
from sightline.bundle.verify import verify_bundle
from sightline.cli.main import main
from sightline.cli.models import models
from sightline.engine.model import Model
from sightline.engine.result_type import Probabilities, ResultType, Tensors, TopK, Vector
from sightline.engine.run import run, run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError, WrongUseError

from .tensor_model import expected, write_tensor_bundle

ALL = Tensors(("doubled", "sums", "pooled"))
DENIED = {"code": "DENIED", "stage": "read", "message": "no"}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tensor_bundle(tmp_path_factory.mktemp("models") / "numbers")


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    bundle = Bundle.load(path)
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))


def rows_of(count: int) -> Array:
    return np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32)


def table(x: Any, type_: pa.DataType | None = None) -> pa.RecordBatch:  # noqa: ANN401
    values = pa.array(list(x), type_ or pa.list_(pa.float32()))
    return pa.RecordBatch.from_arrays(
        [pa.array(range(len(values)), pa.int64()), values], ["id", "x"]
    )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_rows", [1, 3, 32])
def test_every_output_is_what_numpy_computes(model: Model, batch_rows: int, threads: int) -> None:
    x = rows_of(20)
    batches = [table(x[:1]), table(x[1:8]), table(x[8:8]), table(x[8:])]
    spec = EngineSettings(batch_rows=batch_rows, threads=threads)

    found = list(run(batches, model, spec, ALL, ["x"], "none"))

    assert [batch.num_rows for batch in found] == [1, 7, 0, 12]
    names = ["id", "doubled", "sums", "pooled", "error"]
    assert all(batch.schema.names == names for batch in found)
    for batch in found:
        batch.validate(full=True)
    whole = pa.Table.from_batches(found)
    assert whole.column("id").to_pylist() == [0, *range(7), *range(12)]
    assert whole.column("error").null_count == 20
    for name, values in expected(x).items():
        assert np.array(whole.column(name).to_pylist()) == pytest.approx(values, abs=1e-5)


def test_a_row_that_does_not_fit_has_an_error_and_no_result(model: Model) -> None:
    x: list[Any] = rows_of(5).tolist()
    x[1], x[2], x[3] = [1.0, 2.0], [1.0, None, 3.0, 4.0], None
    batch = table(x).append_column("failed", pa.array([None] * 4 + [DENIED]))

    (found,) = run([batch], model, EngineSettings(), Vector(), ["x"], "failed")

    assert found.schema.names == ["id", "features", "error"]
    rows = found.to_pylist()
    assert rows[0]["features"] == pytest.approx(expected(np.array(x[:1]))["pooled"][0], abs=1e-5)
    assert [row["features"] is None for row in rows] == [False, True, True, True, True]
    of = "The value for the input x: float32 (n, 4)"
    assert [row["error"] for row in rows] == [
        None,
        {"code": "INVALID_INPUT", "stage": "feed", "message": f"{of} has 2 elements, not 4."},
        {
            "code": "INVALID_INPUT",
            "stage": "feed",
            "message": f"{of} has an element that is NULL.",
        },
        {"code": "INVALID_INPUT", "stage": "feed", "message": f"{of} is NULL."},
        DENIED,
    ]


def test_a_scalar_call_gives_null_for_null_and_a_struct_of_the_outputs(model: Model) -> None:
    x = rows_of(2)
    array = pa.array([x[0], None, [1.0], x[1]], pa.list_(pa.float32()))

    (found,) = run_scalar([array], model, EngineSettings(), Tensors(("sums",)))

    assert [field.name for field in found.type] == ["sums", "error"]
    rows = [row.as_py() for row in found]
    assert rows[1] is None
    assert [row and row["sums"] for row in rows] == [
        int(expected(x[:1])["sums"][0]),
        None,
        None,
        int(expected(x[1:])["sums"][0]),
    ]
    assert rows[2]["error"]["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("threads", [1, 4])
def test_an_output_that_is_a_view_of_an_input_keeps_its_rows(model: Model, threads: int) -> None:
    class Views:
        def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
            return {"doubled": feeds["x"].reshape(-1, 2, 2)}

    x = rows_of(5_000)
    spec = EngineSettings(threads=threads)
    viewing = Model(model.bundle, Views())
    (found,) = run([table(x)], viewing, spec, Tensors(("doubled",)), ["x"], "none")
    values = np.array(found.column("doubled").to_pylist(), np.float32)
    assert np.array_equal(values.reshape(-1, 4), x)


def test_only_the_requested_outputs_are_computed(model: Model) -> None:
    asked: list[list[str]] = []

    class Asked:
        def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
            asked.append(list(wanted))
            return model.session.run(feeds, wanted)

    for result in (Vector(), Tensors(("sums", "doubled"))):
        list(
            run(
                [table(rows_of(2))], Model(model.bundle, Asked()), EngineSettings(), result, "x", ""
            )
        )

    assert asked == [["pooled"], ["sums", "doubled"]]


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_session_gives_the_wanted_outputs_in_the_dtypes_of_the_signature(
    path: Path, backend: str
) -> None:
    session = find_backend(backend).open(Bundle.load(path), Device("cpu"), 1)
    x = rows_of(3)
    for wanted in (["sums"], ["pooled", "doubled"], ["doubled", "sums", "pooled"]):
        found = session.run({"x": x}, wanted)
        assert sorted(found) == sorted(wanted)
        for name in wanted:
            assert found[name].dtype == expected(x)[name].dtype
            assert found[name] == pytest.approx(expected(x)[name], abs=1e-5)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (TopK(1), "NO_CLASSES: model numbers has no output of class scores; its outputs are doub"),
        (Probabilities(), "NO_CLASSES"),
        (Tensors(("y",)), "UNKNOWN_OUTPUT: 'y'. Known: doubled, sums, pooled"),
        (Tensors(()), "UNKNOWN_OUTPUT: name one output or more"),
        (Tensors(("sums", "sums")), "UNKNOWN_OUTPUT: name one output or more"),
    ],
)
def test_a_result_that_the_model_does_not_have_is_refused(
    model: Model, result: ResultType, message: str
) -> None:
    with pytest.raises(WrongUseError, match=message):
        list(run([table(rows_of(1))], model, EngineSettings(), result, ["x"], ""))


def test_a_column_of_another_type_and_another_number_of_columns_are_refused(model: Model) -> None:
    message = r"WRONG_COLUMN_TYPE: the column for the input x: float32 \(n, 4\) is list<item: str"
    with pytest.raises(WrongUseError, match=message):
        list(run_scalar([pa.array([["a"]])], model, EngineSettings(), Vector()))
    with pytest.raises(WrongUseError, match="WRONG_COLUMN_TYPE"):
        list(run_scalar([pa.array([1.0])], model, EngineSettings(), Vector()))
    with pytest.raises(WrongUseError, match="UNKNOWN_COLUMN: 2 columns are given for the 1 inputs"):
        list(run_scalar([[pa.array([[1.0]])] * 2], model, EngineSettings(), Vector()))


def test_it_is_verified_described_and_listed(path: Path) -> None:
    bundle = Bundle.load(path)
    assert {check.outcome for check in verify_bundle(bundle)} == {"ok"}
    assert sorted(read_golden(bundle)[1]) == ["doubled", "pooled", "sums"]
    text = describe_bundle(bundle)
    for fact in ("x: float32 (n, 4), tensor", "sums: int64 (n), tensor", "(n, 2), vector"):
        assert fact in text
    assert "labels" not in text
    row = list_bundles({"numbers": path}).splitlines()[1]
    assert row.split()[:5] == ["numbers", "tensor", "tensor,", "tensor,", "vector"]
    done = CliRunner().invoke(models, ["verify", str(path)])
    assert (done.exit_code, "6 golden rows" in done.output) == (0, True)


def test_a_variant_without_an_installed_backend_is_skipped(path: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(path, tmp_path / "copy")
    tree = json.loads((copy / "model.json").read_text())
    tree["variants"] = {"tflite": {"file": "model.onnx", "threads": 2}}
    (copy / "model.json").write_text(json.dumps(tree))
    bundle = Bundle.load(copy)

    checks = {check.subject: check for check in verify_bundle(bundle)}

    assert checks["tflite variant"].outcome == "skipped"
    assert checks["tflite variant"].detail == "no installed backend reads it"
    assert "tflite         model.onnx" in describe_bundle(bundle)
    message = "NO_VARIANT: model numbers has no onnx variant, only tflite. No installed backend"
    with pytest.raises(WrongUseError, match=message):
        require_variant(bundle, "onnx")


def test_a_changed_number_fails_the_verification(path: Path, tmp_path: Path) -> None:
    golden = safetensors.numpy.load_file(path / "golden.safetensors")
    golden["output:sums"] = golden["output:sums"] + 1
    bundle = changed(path, tmp_path / "copy", golden=safetensors.numpy.save(golden))

    outcomes = {check.subject: check.outcome for check in verify_bundle(bundle)}

    assert outcomes["onnx variant"] == "failed"


def changed(path: Path, copy: Path, **contents: bytes) -> Bundle:
    """Copy the bundle with other content of the files `model` and `golden`."""
    shutil.copytree(path, copy)
    tree = json.loads((copy / "model.json").read_text())
    names = {"model": "model.onnx", "golden": "golden.safetensors"}
    for key, content in contents.items():
        (copy / names[key]).write_bytes(content)
        tree["files"][names[key]] = hashlib.sha256(content).hexdigest()
    (copy / "model.json").write_text(json.dumps(tree))
    return Bundle.load(copy)


def test_a_graph_that_does_not_fit_the_manifest_fails_the_verification(
    path: Path, tmp_path: Path
) -> None:
    graph = onnx.load(path / "model.onnx").graph
    outputs = {one.name: one for one in graph.output}

    def check(copy: str, change: Callable[[onnx.GraphProto], None]) -> str:
        model = onnx.load(path / "model.onnx")
        change(model.graph)
        bundle = changed(path, tmp_path / copy, model=model.SerializeToString())
        (found,) = (one for one in verify_bundle(bundle) if one.subject == "onnx variant")
        assert found.outcome == "failed"
        return found.detail

    def keep(*names: str) -> Callable[[onnx.GraphProto], None]:
        def change(graph: onnx.GraphProto) -> None:
            del graph.output[:]
            graph.output.extend(outputs[name] for name in names)

        return change

    def rename(graph: onnx.GraphProto) -> None:
        graph.input[0].name = "y"
        for node in graph.node:
            node.input[:] = ["y" if one == "x" else one for one in node.input]

    def widen(graph: onnx.GraphProto) -> None:
        weight = np.ones((4, 3), np.float32)
        (at,) = (i for i, one in enumerate(graph.initializer) if one.name == "weight")
        graph.initializer[at].CopyFrom(onnx.numpy_helper.from_array(weight, "weight"))
        graph.output[2].type.tensor_type.shape.dim[1].dim_value = 3

    assert check("one", keep("doubled", "sums")) == "it does not return the output 'pooled'"
    found = check("none", lambda graph: graph.output[0].CopyFrom(graph.input[0]))
    assert found == "it does not return the output 'doubled'"
    assert "Required inputs" in check("renamed", rename)
    found = check("wide", widen)
    assert found == "it returns 'pooled' as float32 of shape (6, 3), not float32 of shape (6, 2)"


def test_a_run_with_a_graph_without_the_wanted_output_is_an_error(
    path: Path, tmp_path: Path
) -> None:
    model = onnx.load(path / "model.onnx")
    del model.graph.output[2]
    bundle = changed(path, tmp_path / "copy", model=model.SerializeToString())
    without = Model(bundle, find_backend("onnx").open(bundle, Device("cpu"), 1))

    with pytest.raises(SightlineError, match=r"MODEL_OUTPUT: .*'pooled' .* no such output"):
        list(run([table(rows_of(2))], without, EngineSettings(), Vector(), ["x"], ""))


def test_running_out_of_memory_is_not_reported_as_a_fault_of_the_bundle(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(session: object, feeds: object, wanted: object) -> None:
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr(OnnxSession, "run", run)
    with pytest.raises(SightlineError, match="OUT_OF_MEMORY: model numbers, on its golden batch"):
        list(verify_bundle(Bundle.load(path)))


def test_integers_must_be_equal_and_infinities_at_the_same_places() -> None:
    nan, inf = float("nan"), float("inf")

    def far(found: list[Any], expected: list[Any], dtype: str) -> bool:
        one, other = np.array(found, dtype), np.array(expected, dtype)
        return not agrees(deltas({"x": one}, {"x": other}, ()), (), 0.001)

    assert far([2**60 + 1], [2**60], "int64")
    assert far([1_000_001], [1_000_000], "int32")
    assert far([True], [False], "bool")
    assert not far([2**60, -1], [2**60, -1], "int64")
    assert not far([True, False], [True, False], "bool")
    assert not far([nan, inf, -inf, 2000.1], [nan, inf, -inf, 2000], "float32")
    assert far([nan, 2010], [nan, 2000], "float32")
    assert far([inf, 1], [-inf, 1], "float32")
    assert far([nan, 1], [inf, 1], "float32")
    assert far([1, 1], [nan, 1], "float32")
    assert far([nan, 1], [1, 1], "float32")
    scores = {"x": np.array([nan], np.float32)}
    assert not agrees(deltas(scores, scores, {"x"}), {"x"}, 0.001)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        ("input:x", "does not hold x"),
        ("output:doubled", "does not hold doubled"),
    ],
)
def test_a_golden_batch_without_a_tensor_is_refused(
    path: Path, tmp_path: Path, tensor: str, message: str
) -> None:
    golden = safetensors.numpy.load_file(path / "golden.safetensors")
    del golden[tensor]
    bundle = changed(path, tmp_path / "copy", golden=safetensors.numpy.save(golden))

    with pytest.raises(WrongUseError, match=f"INVALID_BUNDLE: .*{message}"):
        read_golden(bundle)


@pytest.mark.parametrize("command", ["predict", "features"])
def test_commands_on_images_refuse_a_tensor_model(
    path: Path,
    tmp_path: Path,
    command: str,
    encode: Callable[..., bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/red.png").write_bytes(encode("red"))
    arguments = ["--images", f"{tmp_path}/images", "--output", f"{tmp_path}/out"]
    assert main([command, *arguments, "--model", str(path)]) == 2
    assert "NO_IMAGE_INPUT: model numbers does not take one image" in capsys.readouterr().err


def test_calibration_refuses_it(path: Path, tmp_path: Path) -> None:
    arguments = ["--images", str(tmp_path), "--precision", "int8"]
    assert main(["models", "calibrate", str(path), *arguments]) == 2


def test_a_backend_that_fails_is_named_with_its_rows(model: Model) -> None:
    class Failing:
        def run(self, feeds: Any, wanted: Any) -> Any:  # noqa: ANN401
            raise RuntimeError("the device is gone")

    failing = Model(model.bundle, Failing())
    with pytest.raises(SightlineError, match=r"MODEL_FAILED: .* batch of 2 rows: RuntimeError"):
        list(run([table(rows_of(2))], failing, EngineSettings(), Vector(), ["x"], ""))
