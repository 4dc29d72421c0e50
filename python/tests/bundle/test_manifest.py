import json
from typing import Any

import pytest

from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import Manifest
from sightline.errors import WrongUseError

SCORES = {"name": "logits", "dtype": "float32", "shape": ["n", 3], "role": "scores"}


def pooled(*shape: int | str) -> dict[str, object]:
    """Features of that shape."""
    return {"name": "pooled", "dtype": "float32", "shape": list(shape), "role": "features"}


def test_a_manifest_survives_writing_and_reading(tiny: Bundle) -> None:
    text = (tiny.path / "model.json").read_bytes()

    assert Manifest.from_json(text).to_json() == text


def test_the_text_is_canonical_json(tiny: Bundle) -> None:
    text = (tiny.path / "model.json").read_text()

    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"


def test_scale_and_bias_are_the_normalisation(tiny: Bundle) -> None:
    scale, bias = tiny.manifest.preprocessing.scale_and_bias

    assert [200 * s + b for s, b in zip(scale, bias, strict=True)] == pytest.approx(
        [(200 / 255 - 0.485) / 0.229, (200 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225]
    )


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("format", 2, "'format' is 2, but this Sightline reads only 1"),
        ("name", "../x", "'name'"),
        ("task", "poetry", "'task' must be one of classification"),
        ("classes", 0, "'classes' must be an integer from 1"),
        ("classes", True, "'classes' must be an integer"),
        ("classes", 4, "'outputs' must hold one float32 tensor of scores [n, 4]"),
        ("labels", "../../etc/passwd", "'labels' must be a plain file name"),
        ("labels", "/etc/passwd", "'labels' must be a plain file name"),
        ("labels", "other.txt", "'files.other.txt' is missing"),
        ("golden.file", "a\\b", "'golden.file' must be a plain file name"),
        ("variants", {}, "'variants' must hold onnx or pytorch"),
        ("variants.onnx.file", ".hidden", "'variants.onnx.file'"),
        ("variants.pytorch.architecture", "os.system", "'variants.pytorch.architecture'"),
        ("variants.pytorch.architecture", None, "'variants.pytorch.architecture' must be a string"),
        ("variants.pytorch.head", "a..b", "'variants.pytorch.head' must be the dotted name"),
        ("outputs", [SCORES], "'outputs' must hold features, since variants.pytorch.head"),
        ("preprocessing.resize.mode", "squash", "'preprocessing.resize.mode'"),
        ("preprocessing.resize.width", 21, "'preprocessing.resize.width' must equal height"),
        ("preprocessing.crop", None, "'preprocessing.crop' must be given"),
        ("preprocessing.mean", [0, 0], "'preprocessing.mean' must hold 3 numbers, found 2"),
        ("preprocessing.std", [0, 1, 1], "'preprocessing.std' must be above 0"),
        ("preprocessing.std", [float("nan"), 1, 1], "'preprocessing.std' must be a finite number"),
        ("preprocessing", [], "'preprocessing' must be an object, found a list"),
        ("inputs", [{}], "'inputs[0].name' is missing"),
        ("files", {"model.onnx": "12"}, "'files.model.onnx' must be a sha256"),
        ("accuracy", [{"dataset": "x", "rows": 0, "top1": 1}], "'accuracy[0].rows'"),
        ("accuracy", [{"dataset": "x", "rows": 1, "top1": int("9" * 400)}], "'accuracy[0].top1'"),
        ("preprocessing.mean", [int("9" * 400), 0, 0], "'preprocessing.mean' must be a finite"),
        ("classes", int("9" * 400), "'classes' must be an integer from 1 to 10000000, found 999"),
        ("outputs", [SCORES, pooled("n")], "must hold features of shape [n, length]: pooled"),
        ("outputs", [SCORES, pooled("n", "k")], "must hold features of shape [n, length]: pooled"),
        ("outputs", [SCORES, pooled(4, 8)], "must hold features of shape [n, length]: pooled"),
        (
            "outputs",
            [SCORES, pooled("n", int("9" * 400))],
            "'outputs[1].shape[1]' must be a length",
        ),
        ("outputs", [SCORES, pooled("n", 0)], "'outputs[1].shape[1]' must be a length from 1"),
        (
            "outputs",
            [SCORES, pooled("n", 4), pooled("n", 4)],
            "'outputs' must have different names",
        ),
        ("golden.tolerance", 1e300, "'golden.tolerance' must be above 0 and at most 655"),
        ("golden.tolerance", int("9" * 400), "'golden.tolerance' must be a finite number"),
        ("golden.tolerance", 0, "'golden.tolerance' must be above 0"),
    ],
)
def test_a_wrong_field_is_named(tiny: Bundle, path: str, value: object, named: str) -> None:
    tree = json.loads((tiny.path / "model.json").read_text())
    *parents, last = path.split(".")
    place = tree
    for parent in parents:
        place = place[parent]
    place[last] = value

    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: ") as error:
        Manifest.from_json(json.dumps(tree).encode(), "here/model.json")

    assert named in str(error.value)
    assert "here/model.json" in str(error.value)


def test_every_required_field_is_missed_by_name(tiny: Bundle) -> None:
    tree: dict[str, Any] = json.loads((tiny.path / "model.json").read_text())
    for field in sorted(tree.keys() - {"accuracy"}):
        text = json.dumps({key: value for key, value in tree.items() if key != field})
        with pytest.raises(WrongUseError, match=f"INVALID_BUNDLE: .*'{field}' is missing"):
            Manifest.from_json(text.encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: model.json: 'the file'"):
        Manifest.from_json(text)
