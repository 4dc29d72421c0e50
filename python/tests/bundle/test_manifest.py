import json
from typing import Any

import pytest

from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import Manifest
from sightline.bundle.signature import Kind
from sightline.errors import WrongUseError

HEAD = {"kind": "classes", "labels": "labels.txt", "activation": "softmax"}
SCORES = {"name": "logits", "dtype": "float32", "shape": ["n", 3], "head": HEAD}


def pooled(*shape: int | str, dtype: str = "float32") -> dict[str, object]:
    """Features of that shape."""
    head = {"kind": "vector"}
    return {"name": "pooled", "dtype": dtype, "shape": list(shape), "head": head}


def tokens(*shape: int | str | None) -> dict[str, object]:
    """An input of integers of that shape."""
    return {"name": "ids", "dtype": "int64", "shape": list(shape), "feed": {"kind": "tensor"}}


def plain(*shape: int | str, name: str = "a") -> dict[str, object]:
    """An output of that shape with a tensor head."""
    return {"name": name, "dtype": "uint16", "shape": list(shape), "head": {"kind": "tensor"}}


def test_a_manifest_survives_writing_and_reading(tiny: Bundle) -> None:
    text = (tiny.path / "model.json").read_bytes()

    assert Manifest.from_json(text).to_json() == text


def test_the_text_is_canonical_json(tiny: Bundle) -> None:
    text = (tiny.path / "model.json").read_text()

    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"


def test_scale_and_bias_are_the_normalisation(tiny: Bundle) -> None:
    scale, bias = tiny.manifest.signature.require_image("tiny").scale_and_bias

    assert [200 * s + b for s, b in zip(scale, bias, strict=True)] == pytest.approx(
        [(200 / 255 - 0.485) / 0.229, (200 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225]
    )


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("format", 3, "'format' is 3, but this Sightline reads only 1 and 2"),
        ("name", "../x", "'name'"),
        ("outputs.0.head.labels", "../../etc/passwd", "'outputs[0].head.labels' must be a plain"),
        ("outputs.0.head.labels", "/etc/passwd", "'outputs[0].head.labels' must be a plain"),
        ("outputs.0.head.labels", "other.txt", "'files.other.txt' is missing"),
        ("outputs.0.head.activation", "relu", "'outputs[0].head.activation' must be one of"),
        ("outputs.0.head.kind", "a b", "'outputs[0].head.kind' must be letters, digits"),
        ("outputs.0.head", None, "'outputs[0].head' must be an object, found null"),
        ("outputs.0.dtype", "bfloat16", "'outputs[0].dtype' must be one of float16, float32"),
        ("outputs.0.dtype", "uint16", "'outputs[0].shape' must be float32 or float16 or float64"),
        ("outputs.0.shape", ["n", "k"], "length] for a classes head, found logits: float32 (n, k)"),
        ("inputs", [tokens("n", "n")], "'inputs[0].shape' must name the batch axis 'n' only once"),
        ("inputs", [tokens("batch", "n")], "'inputs[0].shape' must not use the name of the batch"),
        ("outputs", [SCORES, plain("rows", 4), plain("n", "rows", name="b")], "'outputs[2].shape'"),
        ("inputs", [tokens("n", "a b")], "'inputs[0].shape[1]' must be a name of letters, digits"),
        ("inputs", [tokens("n", "")], "'inputs[0].shape[1]' must be a name of letters, digits"),
        ("inputs", [tokens("n", None)], "'inputs[0].shape[1]' must be a length or the name of a"),
        ("inputs", [tokens("n", 0)], "'inputs[0].shape[1]' must be a length from 1"),
        ("inputs", [tokens("n", "k", 2**20, 2**12)], "must have at most 2147483648 elements per"),
        ("batch_rows", 4, "'batch_rows' must be an object, found a number"),
        ("batch_rows", {"onnx": 0}, "'batch_rows.onnx' must be an integer from 1 to 1000000"),
        ("batch_rows", {"onnx": "4"}, "'batch_rows.onnx' must be an integer from 1 to 1000000"),
        ("most_rows", 0, "'most_rows' must be an integer from 1 to 1000000, found 0"),
        ("most_rows", "1", "'most_rows' must be an integer from 1 to 1000000, found '1'"),
        ("most_rows", True, "'most_rows' must be an integer from 1 to 1000000, found True"),
        ("outputs", [], "'outputs' must contain at least one tensor"),
        ("golden.file", "a\\b", "'golden.file' must be a plain file name"),
        ("variants", {}, "'variants' must contain onnx or pytorch"),
        ("variants.onnx.file", ".hidden", "'variants.onnx.file'"),
        ("variants.tflite", {"file": "../x"}, "'variants.tflite.file' must be a plain file name"),
        ("variants.tflite", {"file": "x.tflite"}, "'files.x.tflite' is missing"),
        ("variants.tflite", 1, "'variants.tflite' must be an object, found a number"),
        ("variants.pytorch.architecture", "os.system", "'variants.pytorch.architecture'"),
        ("variants.pytorch.architecture", None, "'variants.pytorch.architecture' must be a string"),
        ("variants.pytorch.head", "a..b", "'variants.pytorch.head' must be the dotted name"),
        ("outputs", [SCORES], "'outputs' must contain features, which are the input of variants"),
        ("outputs", [pooled("n", 3)], "'outputs' must contain the classes that variants.pytorch"),
        ("inputs.0.feed.resize.mode", "squash", "'inputs[0].feed.resize.mode'"),
        ("inputs.0.feed.resize.width", 21, "'inputs[0].feed.resize.width' must equal height"),
        ("inputs.0.feed.crop", None, "'inputs[0].feed.crop' must be given"),
        ("inputs.0.feed.mean", [0, 0], "'inputs[0].feed.mean' must contain 3 numbers, found 2"),
        ("inputs.0.feed.std", [0, 1, 1], "'inputs[0].feed.std' must be above 0"),
        ("inputs.0.feed.std", [float("nan"), 1, 1], "'inputs[0].feed.std' must be a finite"),
        ("inputs.0.feed.mean", [int("9" * 400), 0, 0], "'inputs[0].feed.mean' must be a finite"),
        ("inputs.0.feed", [], "'inputs[0].feed' must be an object, found a list"),
        ("inputs.0.feed.kind", 7, "'inputs[0].feed.kind' must be a string, found a number"),
        ("inputs.0.shape", ["n", 16, 12, 4], "'inputs[0].shape' must be uint8 [n, 16, 12, 3]"),
        ("inputs.0.shape", [], "'inputs[0].shape' must begin with the batch axis"),
        ("inputs", [{}], "'inputs[0].name' is missing"),
        ("files", {"model.onnx": "12"}, "'files.model.onnx' must be a sha256"),
        ("accuracy", [{"dataset": "x", "rows": 0, "top1": 1}], "'accuracy[0].rows'"),
        ("accuracy", [{"dataset": "x", "rows": 1, "top1": int("9" * 400)}], "'accuracy[0].top1'"),
        (
            "outputs",
            [SCORES, pooled("n")],
            "'outputs[1].shape' must be float32 or float16 or float64",
        ),
        ("outputs", [SCORES, pooled("n", "k")], "head, found pooled: float32 (n, k)"),
        ("outputs", [SCORES, pooled(4, 8)], "'outputs[1].shape' must begin with the batch axis"),
        ("outputs", [SCORES, pooled("n", 4, dtype="int8")], "'outputs[1].shape' must be float32"),
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
        ("outputs", [SCORES, {**pooled("n", 4), "name": "LOGITS"}], "differ by more than case"),
        ("outputs", [SCORES, {**pooled("n", 4), "name": "Error"}], "and none named error"),
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
        place = place[int(parent) if parent.isdecimal() else parent]
    place[last] = value

    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: ") as error:
        Manifest.from_json(json.dumps(tree).encode(), "here/model.json")

    assert named in str(error.value)
    assert "here/model.json" in str(error.value)


def test_a_kind_that_is_not_built_in_keeps_its_settings(tiny: Bundle) -> None:
    tree = json.loads(tiny.text)
    boxes = {"kind": "boxes", "threshold": 0.5, "labels": ["cat"]}
    tree["outputs"].append(pooled("n", 4) | {"name": "boxes", "head": boxes})
    tokens = {"name": "tokens", "dtype": "int64", "shape": ["n", 8]}
    tree["inputs"].append(tokens | {"feed": {"kind": "bert.tokens", "vocabulary": "words.txt"}})
    tree["variants"]["tflite"] = {"file": "model.onnx", "threads": 2}

    manifest = Manifest.from_json(json.dumps(tree).encode())

    settings = {"threshold": 0.5, "labels": ["cat"]}
    assert manifest.signature.outputs[-1].head == Kind("boxes", settings)
    assert manifest.signature.inputs[-1].feed == Kind("bert.tokens", {"vocabulary": "words.txt"})
    assert manifest.variants == ("onnx", "pytorch", "tflite")
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert json.loads(manifest.to_json())["outputs"][-1]["head"] == boxes


def test_free_axes_and_the_largest_batch_are_read_and_written(tiny: Bundle) -> None:
    tree = json.loads(tiny.text)
    tree["inputs"].append(tokens("n", "tokens"))
    tree["outputs"].append(plain("n", "tokens", 384, "boxes"))
    tree["most_rows"] = 1

    manifest = Manifest.from_json(json.dumps(tree).encode())

    ids, hidden = manifest.signature.inputs[-1].tensor, manifest.signature.outputs[-1].tensor
    assert (ids.free_axes, ids.row_axes) == (("tokens",), ("tokens",))
    assert (hidden.dtype, hidden.free_axes) == ("uint16", ("tokens", "boxes"))
    assert str(hidden) == "a: uint16 (n, tokens, 384, boxes)"
    assert manifest.most_rows == 1
    assert json.loads(manifest.to_json())["outputs"][-1]["shape"] == ["n", "tokens", 384, "boxes"]
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert tiny.manifest.most_rows is None
    assert "most_rows" not in json.loads(tiny.manifest.to_json())


def test_the_error_for_a_missing_field_has_its_name(tiny: Bundle) -> None:
    tree: dict[str, Any] = json.loads((tiny.path / "model.json").read_text())
    for field in sorted(tree.keys() - {"accuracy", "batch_rows"}):
        text = json.dumps({key: value for key, value in tree.items() if key != field})
        with pytest.raises(WrongUseError, match=f"INVALID_BUNDLE: .*'{field}' is missing"):
            Manifest.from_json(text.encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_text_that_is_not_a_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(WrongUseError, match=r"^INVALID_BUNDLE: model.json: 'the file'"):
        Manifest.from_json(text)
