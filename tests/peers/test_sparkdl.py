"""The situations of sparkdl 1.6's test suite, written afresh: values are compared by hand."""

from __future__ import annotations

import io
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sightline
from PIL import Image
from pyspark.errors import AnalysisException
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col
from sightline.functions import ml_features, ml_predict
from sightline.ml import ImageFeaturizer, ImagePredictor, TensorTransformer

MODELS = runpy.run_path(str(Path(__file__).parent / "onnx_models.py"))
write_model: Callable[..., str] = MODELS["write_model"]
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
SIDE = 8
IMAGE: dict[str, Any] = {"images": {"x": {"resize": (SIDE, SIDE), "mean": 0, "std": 1}}}


def pixels(seed: int) -> np.ndarray:
    """An image of random colours, (SIDE, SIDE, 3) uint8, RGB."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def means(models: Path) -> str:
    """The mean of red, of green and of blue, each 0..1."""
    graph = f"""g (float[n, 3, {SIDE}, {SIDE}] x) => (float[n, 3] means) {{
        means = ReduceMean<axes = [2, 3], keepdims = 0>(x) }}"""
    return write_model(graph, models / "means", **IMAGE)


@pytest.fixture(scope="module")
def images(spark: SparkSession) -> DataFrame:
    """Five images in three partitions: two dark ones, label 0, and three bright ones, label 1."""
    rows = [
        (seed, png(pixels(seed) // (4 if label == 0 else 2) + 120 * label), float(label))
        for seed, label in enumerate([0, 0, 1, 1, 1])
    ]
    return spark.createDataFrame(rows, "id int, content binary, label double").repartition(3)


def test_top_k_of_10_gives_10_classes(spark: SparkSession, images: DataFrame, models: Path) -> None:
    labels = [f"class{at}" for at in range(12)]
    graph = f"""g (float[n, 3, {SIDE}, {SIDE}] x) => (float[n, 12] scores) {{
        m = ReduceMean<axes = [1, 2, 3], keepdims = 0>(x)  one = Constant<value = int64[1] {{1}}>()
        column = Unsqueeze(m, one)
        k = Constant<value = float[12] {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}>()
        scores = Mul(column, k) }}"""
    options: dict[str, Any] = {"labels": labels, "activation": "softmax", **IMAGE}
    model = write_model(graph, models / "twelve", **options)
    found = ImagePredictor(model=model, topK=10).transform(images).collect()
    assert len(found) == 5
    for row in found:
        scores = np.array(Image.open(io.BytesIO(row.content))).mean() / 255 * np.arange(12)
        expected = np.exp(scores) / np.exp(scores).sum()
        assert [one.label for one in row.prediction.top_k] == labels[:1:-1]
        assert [one.score for one in row.prediction.top_k] == pytest.approx(
            expected[:1:-1].tolist(), abs=1e-5
        )


def test_a_featurizer_and_a_logistic_regression_fit_their_five_rows(
    images: DataFrame, means: str
) -> None:
    stages: list[Any] = [ImageFeaturizer(model=means, handleInvalid="skip"), LogisticRegression()]
    found = Pipeline(stages=stages).fit(images).transform(images).collect()
    assert sorted((row.id, row.prediction) for row in found) == list(
        enumerate([0.0, 0.0, 1.0, 1.0, 1.0])
    )


def test_pixels_in_bgr_and_the_encoded_file_give_the_same_features(
    spark: SparkSession, means: str, tmp_path: Path
) -> None:
    """The struct of format("image") has BGR; the file, RGB; the model wants RGB."""
    expected = {}
    for seed in range(4):
        (tmp_path / f"{seed}.png").write_bytes(png(pixels(seed) // np.array([1, 2, 4], np.uint8)))
        expected[seed] = (pixels(seed) // np.array([1, 2, 4], np.uint8)).mean((0, 1)) / 255
    structs = spark.read.format("image").load(str(tmp_path)).selectExpr("image", "image.origin")
    files = spark.read.format("sightline").load(str(tmp_path))
    by_struct = ImageFeaturizer(model=means, inputCol="image").transform(structs).collect()
    by_file = ImageFeaturizer(model=means).transform(files).collect()
    pairs = [(row.origin, row) for row in by_struct] + [(row.path, row) for row in by_file]
    assert len(pairs) == 8
    for path, row in pairs:
        wanted = expected[int(Path(path).stem)]
        assert row.features.toArray().tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


def test_a_graph_whose_output_is_an_image(
    spark: SparkSession, images: DataFrame, models: Path
) -> None:
    graph = f"""g (float[n, 3, {SIDE}, {SIDE}] x) => (uint8[n, {SIDE}, {SIDE}, 3] negative) {{
        k = Constant<value = float {{255}}>()  scaled = Mul(x, k)  turned = Sub(k, scaled)
        rounded = Round(turned)  last = Transpose<perm = [0, 2, 3, 1]>(rounded)
        negative = Cast<to = 2>(last) }}"""
    model = write_model(graph, models / "negative", **IMAGE)
    table = images.select("content", ml_predict(model, "content").alias("r"))
    result: Any = table.schema["r"].dataType
    assert result["negative"].dataType.simpleString() == ("array<array<array<smallint>>>")
    found = table.collect()
    assert len(found) == 5
    for row in found:
        before = np.array(Image.open(io.BytesIO(row.content)))
        assert (np.array(row.r.negative) == 255 - before).all()
        assert row.r.error is None
    stage = TensorTransformer(model=model, inputTensors=["x"], inputCols=["content"])
    assert {np.array(row.negative).shape for row in stage.transform(images).collect()} == {
        (SIDE, SIDE, 3)
    }


@pytest.mark.parametrize(
    ("dtype", "column"),
    [("float", "float"), ("double", "double"), ("int32", "int"), ("int64", "bigint")],
)
def test_the_maximum_over_rows_of_three_numbers(
    spark: SparkSession, models: Path, dtype: str, column: str
) -> None:
    graph = f"g ({dtype}[n, 3] x) => ({dtype}[n] y) {{ y = ReduceMax<axes=[1], keepdims=0>(x) }}"
    model = write_model(graph, models / f"max_{dtype}")
    rows = [[1, 2, 3], [9, -8, 7], [-1, -2, -3], [0, 5, 5], [100, 3, 2]]
    table = spark.createDataFrame([(row,) for row in rows], "x array<int>")
    table = table.select(col("x").cast(f"array<{column}>")).repartition(3)
    for found in (
        TensorTransformer(model=model, batchRows=2).transform(table),
        table.select("x", ml_predict(model, "x")["y"].alias("y")),
    ):
        assert found.schema["y"].dataType.simpleString() == column
        assert sorted((row.x, row.y) for row in found.collect()) == sorted(
            (row, max(row)) for row in rows
        )


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    keras.utils.set_random_seed(16)
    return keras


def compare(spark: SparkSession, network: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401
    """Compare the function and the stage of the plugin with Keras."""
    rows = np.random.default_rng(3).normal(size=(7, *shape)).astype(np.float32)
    expected = network(rows, training=False).detach().numpy()
    type_ = "array<" * len(shape) + "float" + ">" * len(shape)
    table = spark.createDataFrame(
        [(at, row.tolist()) for at, row in enumerate(rows)], f"id int, x {type_}"
    ).repartition(3)
    plugin = sightline.load("keras")
    by_function = table.withColumn("y", plugin.model_udf(network, batch_rows=2)("x"))
    by_stage = plugin.model(network).setInputCols(["x"]).setOutputCols(["y"]).transform(table)
    for found in (by_function.collect(), by_stage.collect()):
        assert len(found) == 7
        for row in found:
            assert np.array(row.y) == pytest.approx(expected[row.id], abs=1e-5)


def test_a_dense_layer_of_10_inputs_and_1_output(spark: SparkSession, keras: Any) -> None:  # noqa: ANN401
    layers = [keras.Input((10,)), keras.layers.Dense(1)]
    compare(spark, keras.Sequential(layers, name="dense"), (10,))


def test_a_model_in_a_model_of_rows_of_2_by_3(spark: SparkSession, keras: Any) -> None:  # noqa: ANN401
    inner = keras.Sequential([keras.Input((2, 3)), keras.layers.Dense(4, activation="relu")])
    x = keras.Input((2, 3))
    y = keras.layers.Dense(2)(keras.layers.Flatten()(inner(x)))
    compare(spark, keras.Model(x, y, name="nested"), (2, 3))


def test_a_model_registered_in_sql_a_pipeline_and_a_table_agree(
    spark: SparkSession, images: DataFrame, means: str, tmp_path: Path
) -> None:
    spark.conf.set("spark.sightline.models", str(tmp_path))
    spark.sql(f"CREATE OR REPLACE MODEL peers_means USING '{means}'")
    images.createOrReplaceTempView("peers_images")
    by_name = spark.sql(
        "SELECT id, ml_features('peers_means', content).features AS f FROM peers_images"
    )
    by_table = spark.sql(
        "SELECT id, prediction.means AS f FROM ml_predict(TABLE(peers_images), 'peers_means')"
    )
    by_function = images.select("id", ml_features("peers_means", "content")["features"].alias("f"))
    stage = ImageFeaturizer(model="peers_means", outputCol="f")
    by_stage = Pipeline(stages=[stage]).fit(images).transform(images)
    expected = {
        row.id: np.array(Image.open(io.BytesIO(row.content))).mean((0, 1)) / 255
        for row in images.collect()
    }
    answers = [
        {row.id: list(row.f) for row in table.collect()}
        for table in (by_name, by_table, by_function, by_stage)
    ]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert answers[0].keys() == expected.keys()
    for at, value in answers[0].items():
        assert value == pytest.approx(expected[at].tolist(), abs=1e-6)


def test_a_missing_param_is_named(images: DataFrame, means: str) -> None:
    with pytest.raises(AnalysisException, match=r"WRONG_PARAM.*model"):
        ImageFeaturizer().transform(images)
    with pytest.raises(AnalysisException, match=r"UNKNOWN_COLUMN.*'x'.*set inputCols"):
        TensorTransformer(model=means, inputTensors=["x"]).transform(images)


def test_columns_that_are_missing_of_another_type_or_there_already_are_refused(
    images: DataFrame, means: str
) -> None:
    wrong: dict[str, Callable[[], object]] = {
        "UNKNOWN_COLUMN": lambda: ImageFeaturizer(model=means, inputCol="photo").transform(images),
        "WRONG_COLUMN_TYPE": lambda: ImageFeaturizer(model=means, inputCol="id").transform(images),
        "OUTPUT_COLUMN_EXISTS": lambda: ImageFeaturizer(model=means, outputCol="label").transform(
            images
        ),
    }
    for condition, transform in wrong.items():
        with pytest.raises(AnalysisException, match=condition):
            transform()


def test_a_cross_validator_keeps_the_params_of_the_featurizer(
    images: DataFrame, means: str
) -> None:
    featurizer = ImageFeaturizer(model=means, batchRows=3, handleInvalid="skip", outputCol="f")
    regression = LogisticRegression(featuresCol="f", maxIter=5)
    search = CrossValidator(
        estimator=Pipeline(stages=[featurizer, regression]),
        estimatorParamMaps=ParamGridBuilder().addGrid(regression.regParam, [0.0, 0.1]).build(),
        evaluator=MulticlassClassificationEvaluator(metricName="accuracy"),
        numFolds=2,
        seed=1,
    )
    many = images.union(images).union(images)
    best: Any = search.fit(many).bestModel
    kept: Any = best.stages[0]
    assert (kept.uid, kept.getModel(), kept.getBatchRows()) == (featurizer.uid, means, 3)
    assert (kept.getHandleInvalid(), kept.getOutputCol()) == ("skip", "f")
    assert [row.prediction == row.label for row in best.transform(images).collect()] == [True] * 5


def test_two_good_images_and_a_bad_one_are_three_rows_with_one_error(
    spark: SparkSession, means: str
) -> None:
    rows = [("a", png(pixels(1))), ("b", b"this is no image"), ("c", png(pixels(2)))]
    table = spark.createDataFrame(rows, "id string, content binary").coalesce(1)
    found = {row.id: row for row in ImageFeaturizer(model=means).transform(table).collect()}
    assert (found["b"].features, found["b"].error.code) == (None, "UNSUPPORTED")
    for name, seed in (("a", 1), ("c", 2)):
        wanted = (pixels(seed).mean((0, 1)) / 255).tolist()
        assert found[name].features.toArray().tolist() == pytest.approx(wanted, abs=1e-6)
        assert found[name].error is None
