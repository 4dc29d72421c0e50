"""Reads the signature of a manifest of format 1: one image input, scores and other outputs."""

from __future__ import annotations

from sightline.bundle.fields import Fields
from sightline.bundle.image_settings import read_preprocessing
from sightline.bundle.signature import (
    ACTIVATIONS,
    TENSOR,
    VECTOR,
    Classes,
    Input,
    Kind,
    Output,
    Signature,
    check_names,
)
from sightline.bundle.tensor_spec import read_tensor

_ROLES = ("scores", "features", "tensor")


def read_format1_signature(top: Fields) -> Signature:
    """Read `preprocessing` as an image feed, and the role of each output as a head.

    The output with the role scores gets a classes head, and features a vector head. Outputs with
    the role tensor and a second free axis are omitted: no version of Sightline could use them.

    Raises:
        WrongUseError: INVALID_BUNDLE, naming the first field that is wrong.
    """
    top.text("task", ("classification",))
    inputs = [read_tensor(item) for item in top.children("inputs")]
    outputs = [(read_tensor(item), item.text("role", _ROLES)) for item in top.children("outputs")]
    classes = Classes(top.file("labels"), top.text("activation", ACTIVATIONS))
    count = top.integer("classes", 1, 10_000_000)
    preprocessing = read_preprocessing(top.child("preprocessing"))
    size = preprocessing.size
    wanted = ("uint8", ("n", size.height, size.width, 3))
    if [(one.dtype, one.shape) for one in inputs] != [wanted]:
        top.fail("inputs", f"must be one uint8 tensor of shape [n, {size.height}, {size.width}, 3]")
    scores = [(one.dtype, one.shape) for one, role in outputs if role == "scores"]
    if scores != [("float32", ("n", count))]:
        top.fail("outputs", f"must contain one float32 tensor of scores [n, {count}]")
    heads: dict[str, Classes | Kind] = {
        "scores": classes,
        "features": Kind(VECTOR),
        "tensor": Kind(TENSOR),
    }
    kept = []
    for tensor, role in outputs:
        is_fixed = tensor.shape[:1] == ("n",) and all(isinstance(x, int) for x in tensor.shape[1:])
        if role == "features" and not (is_fixed and len(tensor.shape) == 2):
            top.fail("outputs", f"must contain features of shape [n, length]: {tensor.name}")
        if is_fixed:
            kept.append(Output(tensor, heads[role]))
    signature = Signature((Input(inputs[0], preprocessing),), tuple(kept))
    check_names(signature, top)
    return signature
