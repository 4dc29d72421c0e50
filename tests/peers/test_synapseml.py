"""The situations of SynapseML's ONNXModelSuite and ImageFeaturizerSuite, written afresh."""

from __future__ import annotations

import io
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import sightline
from PIL import Image
from pyspark.errors import PySparkException
from pyspark.ml.functions import array_to_vector
from pyspark.ml.linalg import DenseVector, Vectors
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from sightline.bundle.bundle import Bundle
from sightline.functions import ml_features, ml_predict
from sightline.ml import ImageFeaturizer, TensorTransformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

MODELS = runpy.run_path(str(Path(__file__).parent / "onnx_models.py"))
write_model: Callable[..., str] = MODELS["write_model"]
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
WEIGHTS = np.array([[1, 2, 0.5], [0, -1, 4], [3, 0.25, 1], [-2, 1, 0]], np.float32)
LINEAR = f"""g (float[n, 4] x) => (float[n, 3] y) {{
    w = Constant<value = float[4, 3] {{{", ".join(map(str, WEIGHTS.ravel().tolist()))}}}>()
    y = MatMul(x, w) }}"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def linear(models: Path) -> str:
    """y = x · WEIGHTS, of rows of four numbers."""
    return write_model(LINEAR, models / "linear")


@pytest.fixture(scope="module")
def means(models: Path) -> str:
    """The means of red, green and blue of an image of 8 x 8, each 0..1."""
    graph = """g (float[n, 3, 8, 8] x) => (float[n, 3] means) {
        means = ReduceMean<axes = [2, 3], keepdims = 0>(x) }"""
    settings = {"x": {"resize": (8, 8), "mean": 0, "std": 1}}
    return write_model(graph, models / "means", images=settings)


def test_columns_of_floats_doubles_and_vectors_give_the_same_row(
    spark: SparkSession, linear: str
) -> None:
    rows = [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0], [0.0, 0.0, 9.0, 0.0]]
    table = (
        spark.createDataFrame([(row,) for row in rows], "double array<double>")
        .withColumn("float", col("double").cast("array<float>"))
        .withColumn("vector", array_to_vector(col("double")))
        .repartition(2)
    )
    sparse = spark.createDataFrame([(Vectors.sparse(4, [2], [9.0]),)], ["sparse"])
    for column in ("double", "float", "vector"):
        stage = TensorTransformer(model=linear, inputTensors=["x"], inputCols=[column])
        found = stage.transform(table).collect()
        assert len(found) == 3
        for row in found:
            assert row.y == by_hand(row.double)
    first = sparse.select(ml_predict(linear, "sparse")["y"].alias("y")).first()
    assert first is not None
    assert first.y == (9 * WEIGHTS[2]).tolist()


def test_a_bad_shape_late_in_a_batch_is_an_error_of_that_row(
    spark: SparkSession, linear: str
) -> None:
    rows = [(at, [float(at), 1.0, 0.0, 2.0][: 3 if at == 119 else 4]) for at in range(128)]
    table = spark.createDataFrame(rows, "id int, x array<float>").coalesce(1)
    found = TensorTransformer(model=linear, batchRows=64).transform(table).collect()
    assert [row.id for row in found] == list(range(128))
    for row in found:
        if row.id == 119:
            assert (row.y, row.error.code) == (None, "INVALID_INPUT")
            assert "3 elements, not 4" in row.error.message
        else:
            assert (row.y, row.error) == (by_hand(row.x), None)
    strict = TensorTransformer(model=linear, batchRows=64, handleInvalid="error")
    with pytest.raises(PySparkException, match="3 elements, not 4"):
        strict.transform(table).collect()


def test_inputs_of_booleans(spark: SparkSession, models: Path) -> None:
    graph = """g (bool[n] a, bool[n, 2] b) => (bool[n, 2] both, int32[n] count) {
        one = Constant<value = int64[1] {1}>()  column = Unsqueeze(a, one)
        both = And(column, b)  numbers = Cast<to = 6>(both)
        count = ReduceSum<keepdims = 0>(numbers, one) }"""
    model = write_model(graph, models / "booleans")
    rows = [(a, [p, q]) for a in (True, False) for p in (True, False) for q in (True, False)]
    table = spark.createDataFrame(rows, "a boolean, b array<boolean>").repartition(3)
    found = TensorTransformer(model=model).transform(table).collect()
    assert len(found) == 8
    for row in found:
        assert row.both == [row.a and one for one in row.b]
        assert row["count"] == sum(row.both)


def test_many_inputs_of_different_types_and_an_image(spark: SparkSession, models: Path) -> None:
    graph = """g (float[n] f, double[n, 2] d, int64[n, k] i, uint8[n] u, bool[n] b,
                  float[n, 3, 8, 8] x) => (float[n] sum, float[n, 3] means) {
        last = Constant<value = int64[1] {1}>()
        d1 = ReduceSum<keepdims = 0>(d, last)  d2 = Cast<to = 1>(d1)
        i1 = ReduceSum<keepdims = 0>(i, last)  i2 = Cast<to = 1>(i1)
        u2 = Cast<to = 1>(u)  b2 = Cast<to = 1>(b)  sum = Sum(f, d2, i2, u2, b2)
        means = ReduceMean<axes = [2, 3], keepdims = 0>(x) }"""
    settings = {"x": {"resize": (8, 8), "mean": 0, "std": 1}}
    model = write_model(graph, models / "mixed", images=settings)
    values = np.random.default_rng(5).integers(0, 256, (6, 8, 8, 3), np.uint8)
    rows = [
        (at, at / 2, [at / 4, -1.0], list(range(at + 1)), at, at % 2 == 0, encoded(values[at]))
        for at in range(6)
    ]
    schema = "id int, f float, d array<double>, i array<int>, u int, b boolean, x binary"
    table = spark.createDataFrame(rows, schema).repartition(3)
    by_name = table.select(
        "id", ml_predict(model, "f", x="x", b="b", u="u", i="i", d="d").alias("r")
    ).select("id", "r.*")
    for found in (by_name.collect(), TensorTransformer(model=model).transform(table).collect()):
        assert len(found) == 6
        for row in found:
            at = row.id
            total = at / 2 + at / 4 - 1 + sum(range(at + 1)) + at + (at % 2 == 0)
            assert row.sum == pytest.approx(total, abs=1e-5)
            wanted = (values[at].mean((0, 1)) / 255).tolist()
            assert row.means == pytest.approx(wanted, abs=1e-6)
            assert row.error is None


def test_a_classifier_whose_scores_are_a_sequence_of_maps(
    spark: SparkSession, tmp_path: Path
) -> None:
    """skl2onnx writes a ZipMap by default: a map from class to probability for each row."""
    from skl2onnx import to_onnx

    x, y = load_iris(return_X_y=True)
    x = x.astype(np.float32)
    classifier = LogisticRegression(max_iter=500).fit(x, np.array(["se", "ve", "vi"])[y])
    graph = to_onnx(classifier, x[:1])
    assert "ZipMap" in {node.op_type for node in graph.graph.node}
    model = str(sightline.add_model(graph, "zipmap", models=tmp_path))
    table = spark.createDataFrame(
        [(at, row.tolist()) for at, row in enumerate(x)], "id int, x array<float>"
    )
    answer = ml_predict(model, "x").alias("r")
    found = table.repartition(3).select("id", answer).select("id", "r.*").collect()
    expected = classifier.predict_proba(x)
    assert len(found) == 150
    for row in found:
        assert row.label == classifier.classes_[expected[row.id].argmax()]
        scores = {one.label: one.score for one in row.top_k}
        assert [scores[label] for label in ("se", "ve", "vi")] == pytest.approx(
            expected[row.id].tolist(), abs=1e-5
        )


def test_an_inner_layer_of_2048_numbers_is_an_output(spark: SparkSession, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(7)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 2048, 5, stride=4),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(2048, 10),
    )
    file = tmp_path / "network.onnx"
    torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 3, 16, 16),),
        file,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        input_names=["x"],
        output_names=["scores"],
        verbose=False,
    )
    (last,) = (node for node in onnx.load(file).graph.node if node.op_type == "Gemm")
    layer = last.input[0]
    settings = {"x": {"resize": (16, 16), "mean": 0, "std": 1}}
    path = sightline.add_model(
        file, "m", models=tmp_path, outputs=[layer], images=settings, heads={layer: "vector"}
    )
    (inner,) = (
        one.tensor.name
        for one in Bundle.load(path).manifest.signature.outputs
        if one.tensor.shape == ("n", 2048)
    )
    images = np.random.default_rng(6).integers(0, 256, (4, 16, 16, 3), np.uint8)
    rows = [(at, encoded(image)) for at, image in enumerate(images)]
    table = spark.createDataFrame(rows, "id int, content binary").repartition(2)
    stage = ImageFeaturizer(model=str(path), output=inner)
    found = stage.transform(table).collect()
    x = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    expected = network[:4](x).detach().numpy()
    assert len(found) == 4
    for row in found:
        assert row.features.size == 2048
        assert row.features.toArray() == pytest.approx(expected[row.id], abs=1e-5)


def test_ragged_rows_are_errors_of_their_own(spark: SparkSession, models: Path) -> None:
    graph = """g (float[n, 2, k] x) => (float[n, 2] y) {
        last = Constant<value = int64[1] {2}>()  y = ReduceSum<keepdims = 0>(x, last) }"""
    model = write_model(graph, models / "ragged")
    rows = [
        (0, [[1.0, 2.0], [3.0, 4.0]], [3.0, 7.0]),
        (1, [[1.0, 2.0], [3.0]], None),
        (2, [[1.0], [5.0]], [1.0, 5.0]),
        (3, [[1.0, 2.0, 3.0]], None),
        (4, [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], [6.0, 3.0]),
    ]
    schema = "id int, x array<array<double>>, wanted array<double>"
    table = spark.createDataFrame(rows, schema).coalesce(1)
    found = TensorTransformer(model=model).transform(table).collect()
    assert [row.y for row in found] == [row.wanted for row in found]
    codes = [row.error and row.error.code for row in found]
    assert codes == [None, "INVALID_INPUT", None, "INVALID_INPUT", None]


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="there is a GPU's onnxruntime"
)
def test_a_device_that_is_not_there_is_refused(spark: SparkSession, linear: str) -> None:
    table = spark.createDataFrame([([1.0, 2.0, 3.0, 4.0],)], "x array<float>")
    with pytest.raises(PySparkException, match="DEVICE_UNAVAILABLE"):
        TensorTransformer(model=linear, device="cuda").transform(table).collect()
    with pytest.raises(PySparkException, match="tpu"):
        table.select(ml_predict(linear, "x", options={"device": "tpu"})).collect()


def test_grey_images_have_three_equal_channels(
    spark: SparkSession, means: str, tmp_path: Path
) -> None:
    grey = np.random.default_rng(9).integers(0, 256, (8, 8), np.uint8)
    (tmp_path / "grey.png").write_bytes(encoded(grey))
    files = spark.read.format("sightline").load(str(tmp_path))
    pixels = spark.read.format("image").load(str(tmp_path))
    found = [
        ImageFeaturizer(model=means).transform(files).first(),
        ImageFeaturizer(model=means, inputCol="image").transform(pixels).first(),
    ]
    for row in found:
        assert row is not None
        assert row.features.toArray() == pytest.approx([grey.mean() / 255] * 3, abs=1e-6)


def test_corrupt_bytes_are_errors_and_the_image_beside_them_is_not(
    spark: SparkSession, means: str, paint: Callable[..., bytes]
) -> None:
    photograph = paint("blue", "JPEG", (640, 480))
    random = np.random.default_rng(10).integers(0, 256, 500, np.uint8).tobytes()
    rows = [
        ("cut", photograph[:2000]),
        ("good", paint("blue")),
        ("random", random),
        ("ending", photograph[-500:]),
        ("header", paint("red")[:20]),
    ]
    table = spark.createDataFrame(rows, "name string, content binary").coalesce(1)
    found = {row.name: row for row in ImageFeaturizer(model=means).transform(table).collect()}
    assert found["good"].features == DenseVector([0, 0, 1])
    assert {name: row.error and row.error.code for name, row in found.items()} == {
        "cut": "TRUNCATED",
        "good": None,
        "random": "UNSUPPORTED",
        "ending": "UNSUPPORTED",
        "header": "TRUNCATED",
    }
    answer = ml_features(means, "content").alias("r")
    by_sql = table.select("name", answer).select("name", "r.*").collect()
    assert {row.name: row.error and row.error.code for row in by_sql} == {
        name: row.error and row.error.code for name, row in found.items()
    }


def test_a_stream_of_6_rows_gives_6_rows(spark: SparkSession, linear: str, tmp_path: Path) -> None:
    rows = [(at, [float(at), 0.0, 1.0, 0.0][: 3 if at == 4 else 4]) for at in range(6)]
    table = spark.createDataFrame(rows, "id int, x array<float>")
    table.repartition(3).write.parquet(str(tmp_path / "in"))
    stream = spark.readStream.schema(table.schema).option("maxFilesPerTrigger", 1)
    query = (
        TensorTransformer(model=linear)
        .transform(stream.parquet(str(tmp_path / "in")))
        .writeStream.format("memory")
        .queryName("peers_streamed")
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination(120)
    found = spark.table("peers_streamed").collect()
    assert sorted(row.id for row in found) == list(range(6))
    for row in found:
        wanted = None if row.id == 4 else by_hand(row.x)
        assert row.y == wanted


def by_hand(row: list[float]) -> list[float]:
    """What the model `linear` gives for a row."""
    found: list[float] = (np.array(row, np.float32) @ WEIGHTS).tolist()
    return found


def encoded(values: np.ndarray) -> bytes:
    """A PNG of pixels, (height, width, 3) RGB or (height, width) grey."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()
