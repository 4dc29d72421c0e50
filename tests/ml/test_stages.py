"""The Spark ML stages from PySpark: the same names, Params, rows and files as in Scala."""

from __future__ import annotations

import math
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sightline.ml
from pyspark.errors import PySparkException
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors
from pyspark.ml.util import JavaMLReadable
from pyspark.sql import DataFrame, Row, SparkSession
from sightline.functions import ml_features, ml_predict
from sightline.ml import (
    ImageClassifier,
    ImageClassifierModel,
    ImageFeaturizer,
    ImageFileTransformer,
    ImagePredictor,
    TensorTransformer,
)
from sightline.ml.stage import Stage

pytestmark = pytest.mark.timeout(600)
BUNDLES = runpy.run_path(str(Path(__file__).parents[1] / "tensor_bundles.py"))
# The stages that can be created. CachedPipeline is Spark's own Pipeline in Python,
# without a wrapped object: test_tune.py has its tests.
STAGES = [
    name
    for name in sightline.ml.__all__
    if not name.endswith("ClassifierModel") and issubclass(getattr(sightline.ml, name), Stage)
]
# Those of them that have a model; test_transfer_classifier.py saves the other one.
WITH_MODEL = [name for name in STAGES if hasattr(getattr(sightline.ml, name), "model")]


@pytest.fixture(scope="module")
def images(spark: SparkSession, gallery: Path) -> DataFrame:
    """Seven images and five files that are not images, in several partitions."""
    return spark.read.format("sightline").option("labels", "folder").load(str(gallery))


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(BUNDLES["write_iris"](tmp_path_factory.mktemp("models") / "iris"))


def by_name(rows: list[Row]) -> dict[str, Row]:
    return {row.relative_path: row for row in rows}


def stages_of_the_jar(spark: SparkSession, jar: Path) -> set[str]:
    """The concrete classes of the package sightline.ml that are pipeline stages."""
    jvm: Any = spark._jvm
    loader = jvm.Thread.currentThread().getContextClassLoader()
    stage = loader.loadClass("org.apache.spark.ml.PipelineStage")
    with zipfile.ZipFile(jar) as archive:
        names = [Path(name) for name in archive.namelist() if name.startswith("sightline/ml/")]
    found = set()
    for name in names:
        if name.suffix == ".class" and "$" not in name.stem:
            loaded = loader.loadClass(f"sightline.ml.{name.stem}")
            is_abstract = jvm.java.lang.reflect.Modifier.isAbstract(loaded.getModifiers())
            if stage.isAssignableFrom(loaded) and not is_abstract:
                found.add(name.stem)
    return found


def test_every_stage_of_the_jar_has_a_wrapper(spark: SparkSession, jar: Path) -> None:
    assert stages_of_the_jar(spark, jar) == set(sightline.ml.__all__)


@pytest.mark.parametrize("name", STAGES)
def test_a_wrapper_has_the_params_and_defaults_of_its_scala_stage(
    spark: SparkSession, name: str
) -> None:
    wrapper = getattr(sightline.ml, name)()
    java = wrapper._java_obj
    expected = {param.name(): param for param in java.params()}
    assert {param.name for param in wrapper.params} == set(expected)
    jvm: Any = spark._jvm
    fresh = getattr(jvm.sightline.ml, name)()
    for param in wrapper.params:
        java_param = fresh.getParam(param.name)
        assert wrapper.hasDefault(param) == fresh.hasDefault(java_param), param.name
        if wrapper.hasDefault(param) and param.name != "seed":
            value = fresh.getDefault(java_param).get()
            found = wrapper.getOrDefault(param)
            assert (list(value) if isinstance(found, list) else value) == found, param.name


@pytest.mark.parametrize("name", STAGES)
def test_a_wrapper_has_a_getter_and_a_setter_for_each_of_its_own_params(name: str) -> None:
    wrapper = getattr(sightline.ml, name)
    for param in wrapper().params:
        title = param.name[0].upper() + param.name[1:]
        assert callable(getattr(wrapper, f"get{title}", None)), f"get{title}"
        assert callable(getattr(wrapper, f"set{title}", None)), f"set{title}"


@pytest.mark.parametrize("name", WITH_MODEL)
def test_a_stage_is_saved_and_loaded_with_its_uid_and_params(
    name: str, colour_bundle: Path, tmp_path: Path
) -> None:
    stage = getattr(sightline.ml, name)(model=str(colour_bundle), batchRows=7)
    stage.write().save(str(tmp_path / "stage"))
    loaded = getattr(sightline.ml, name).load(str(tmp_path / "stage"))
    assert loaded.uid == stage.uid
    assert loaded.getBatchRows() == 7
    assert type(loaded) is type(stage)
    with pytest.raises(Exception, match="already exists"):  # java.io.IOException, as in Spark ML
        stage.write().save(str(tmp_path / "stage"))


def test_no_file_gives_consent_to_code(colour_bundle: Path, tmp_path: Path) -> None:
    stage = ImagePredictor(model=str(colour_bundle), allowCode=True)
    stage.write().save(str(tmp_path / "stage"))
    loaded = ImagePredictor.load(str(tmp_path / "stage"))
    assert (stage.getAllowCode(), loaded.getAllowCode()) == (True, False)
    assert loaded.setAllowCode(True).copy().getAllowCode()
    # The grid of a saved CrossValidator is a map of Params.
    with pytest.raises(sightline.WrongUseError, match="CODE_NOT_ALLOWED: a map of Params"):
        loaded.copy({loaded.allowCode: True})
    assert not loaded.copy({loaded.allowCode: False}).getAllowCode()


def test_features_are_those_of_sql_as_ml_vectors(images: DataFrame, means_bundle: Path) -> None:
    model = str(means_bundle)
    found = by_name(ImageFeaturizer(model=model).transform(images).collect())
    expected = by_name(
        images.where("content IS NOT NULL")
        .select("relative_path", ml_features(model, "content").alias("answer"))
        .collect()
    )
    assert found["red/a.png"].features == Vectors.dense([255, 0, 0])
    good = {name for name, row in expected.items() if row.answer.features is not None}
    assert len(good) == 7
    for name in good:
        assert found[name].features == Vectors.dense(expected[name].answer.features)
        assert found[name].error is None
    assert {name: row.error.code for name, row in found.items() if row.features is None} == {
        "red/empty.png": "EMPTY",
        "red/text.png": "UNSUPPORTED",
        "blue/huge.png": "TOO_LARGE",
        "blue/truncated.jpg": "TRUNCATED",
        "green/gone.png": "NOT_FOUND",
    }


def test_skip_drops_the_rows_with_an_error(images: DataFrame, means_bundle: Path) -> None:
    table = ImageFeaturizer(model=str(means_bundle), handleInvalid="skip").transform(images)
    rows = table.collect()
    assert [row.error for row in rows] == [None] * 7  # the column of read errors of the source
    assert "red/empty.png" not in by_name(rows)


def test_error_stops_the_query_with_the_error_of_the_row(
    images: DataFrame, means_bundle: Path
) -> None:
    stage = ImageFeaturizer(model=str(means_bundle), handleInvalid="error")
    with pytest.raises(PySparkException, match="TRUNCATED"):
        stage.transform(images.where("relative_path = 'blue/truncated.jpg'")).collect()


def test_predictions_are_those_of_sql(images: DataFrame, colour_bundle: Path) -> None:
    table = images.where("relative_path LIKE 'green/%' AND content IS NOT NULL")
    model = str(colour_bundle)
    found = by_name(ImagePredictor(model=model, topK=2).transform(table).collect())
    expected = by_name(
        table.select(
            "relative_path", ml_predict(model, "content", {"top_k": "2"}).alias("answer")
        ).collect()
    )
    assert len(found) == 2
    for name, row in found.items():
        answer = expected[name].answer
        assert row.prediction.label == answer.label == "green"
        assert row.prediction.top_k == answer.top_k
        assert len(row.prediction.top_k) == 2


def test_the_image_struct_of_spark_gives_the_features_of_the_encoded_file(
    spark: SparkSession, gallery: Path, means_bundle: Path
) -> None:
    table = spark.read.format("image").load(f"{gallery}/red/a.png")
    row = ImageFeaturizer(model=str(means_bundle), inputCol="image").transform(table).first()
    assert row is not None
    assert row.features == Vectors.dense([255, 0, 0])


def test_files_are_read_from_a_column_of_paths(
    spark: SparkSession, gallery: Path, colour_bundle: Path
) -> None:
    table = spark.createDataFrame([(f"{gallery}/green/c d.jpg",), (f"{gallery}/no.png",)], ["uri"])
    stage = ImageFileTransformer(
        model=str(colour_bundle), inputCol="uri", outputCol="seen", result="prediction"
    )
    good, missing = stage.transform(table.repartition(2)).orderBy("uri").collect()
    assert (good.seen.label, good.error) == ("green", None)
    assert (missing.seen, missing.error.code) == (None, "NOT_FOUND")


def test_tensors_are_columns_of_arrays_or_vectors_by_the_inputs_names(
    spark: SparkSession, iris: str
) -> None:
    measures = [5.1, 3.5, 1.4, 0.2], [6.3, 2.9, 5.6, 1.8]
    arrays = spark.createDataFrame([(list(one),) for one in measures], "x array<float>")
    vectors = spark.createDataFrame([(Vectors.dense(one),) for one in measures], ["measure"])
    stage = TensorTransformer(model=iris)
    by_array = [row.scores for row in stage.transform(arrays.repartition(2)).collect()]
    wired = TensorTransformer(
        model=iris, inputTensors=["x"], inputCols=["measure"], vectors=True, outputCols=["found"]
    )
    by_vector = [row.found for row in wired.transform(vectors).collect()]
    # scores = 2 mean·x - |mean|² for each species, by hand for setosa of the first row
    expected = 2 * (5.006 * 5.1 + 3.428 * 3.5 + 1.462 * 1.4 + 0.246 * 0.2) - (
        5.006**2 + 3.428**2 + 1.462**2 + 0.246**2
    )
    assert any(math.isclose(row[0], expected, rel_tol=1e-5) for row in by_array)
    assert sorted(map(list, by_array)) == sorted([float(one) for one in row] for row in by_vector)


def test_texts_of_different_lengths_run_in_one_table(spark: SparkSession, tmp_path: Path) -> None:
    model = str(BUNDLES["write_encoder"](tmp_path / "encoder"))
    rows = [([1, 2, 3], [1, 1, 1]), ([3], [1]), ([1, 2], [1])]
    table = spark.createDataFrame(rows, "input_ids array<int>, attention_mask array<int>")
    found = TensorTransformer(model=model).transform(table.coalesce(1)).collect()
    assert found[0].embedding == [3.0, 3.0]
    assert found[1].hidden == [[2.0, 2.0]]
    assert found[2].error.code == "INVALID_INPUT"


def test_a_classifier_is_fitted_saved_and_loaded(
    images: DataFrame, means_bundle: Path, tmp_path: Path
) -> None:
    classifier = ImageClassifier(model=str(means_bundle), maxIter=50)
    fitted = classifier.fit(images.where("label IN ('red', 'green', 'blue')"))
    assert isinstance(fitted, ImageClassifierModel)
    assert sorted(fitted.labels) == ["blue", "green", "red"]
    fitted.write().save(str(tmp_path / "model"))
    loaded = ImageClassifierModel.load(str(tmp_path / "model"))
    for model in (fitted, loaded):
        rows = by_name(model.transform(images).collect())
        assert rows["green/c d.jpg"].predicted_label == "green"
        assert rows["blue/f.bmp"].predicted_label == "blue"
        assert fitted.labels[int(rows["blue/f.bmp"].prediction)] == "blue"
        assert math.isclose(sum(rows["blue/f.bmp"].probability), 1, abs_tol=1e-9)
        assert rows["red/empty.png"].predicted_label is None
        assert rows["red/empty.png"].error.code == "EMPTY"


def test_a_pipeline_is_saved_in_python_and_loaded_from_another_folder(
    images: DataFrame, means_bundle: Path, tmp_path: Path
) -> None:
    table = images.where("content IS NOT NULL").selectExpr(
        "*", "CAST(relative_path LIKE 'red/%' AS DOUBLE) AS is_red"
    )
    stages: list[Any] = [
        ImageFeaturizer(model=str(means_bundle), handleInvalid="skip"),
        LogisticRegression(labelCol="is_red", regParam=0.1),
    ]
    fitted = Pipeline(stages=stages).fit(table)
    fitted.write().save(str(tmp_path / "first"))
    (tmp_path / "first").rename(tmp_path / "moved")
    loaded = PipelineModel.load(str(tmp_path / "moved"))
    kept = ("relative_path", "prediction", "probability")
    assert isinstance(loaded.stages[0], ImageFeaturizer)
    assert isinstance(loaded.stages[0], JavaMLReadable)
    found = loaded.transform(table).select(*kept).collect()
    assert len(found) == 7
    assert sorted(found) == sorted(fitted.transform(table).select(*kept).collect())


def test_wrong_use_names_the_stage_and_what_to_do(
    images: DataFrame, means_bundle: Path, colour_bundle: Path, iris: str
) -> None:
    wrong: dict[str, Callable[[], DataFrame]] = {
        "UNKNOWN_MODEL": lambda: ImageFeaturizer(model="resnet5").transform(images),
        "NO_IMAGE_INPUT": lambda: ImagePredictor(model=iris).transform(images),
        "UNKNOWN_COLUMN": lambda: ImageFeaturizer(
            model=str(means_bundle), inputCol="picture"
        ).transform(images),
        "WRONG_COLUMN_TYPE": lambda: ImageFeaturizer(
            model=str(means_bundle), inputCol="length"
        ).transform(images),
    }
    for condition, use in wrong.items():
        with pytest.raises(Exception, match=condition):
            use()
    with pytest.raises(Exception, match="path"):
        ImageFeaturizer(model=str(means_bundle), outputCol="path").transform(images)
    with pytest.raises(Exception, match="handleInvalid"):
        ImageFeaturizer(model=str(means_bundle), handleInvalid="ignore").transform(images)
    with pytest.raises(TypeError, match="batchRows"):
        ImageFeaturizer(batchRows="many")  # type: ignore[arg-type]
