import onnx
import pytest
from onnx import TensorProto, helper

from sightline.backends.graph_file import has_external_data


def tensor(*, external: bool) -> TensorProto:
    made = helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])
    if external:
        made.ClearField("float_data")
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value="weights.bin")
    return made


def graph(*nodes: onnx.NodeProto, weights: tuple[TensorProto, ...] = ()) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "g", [], [], list(weights))


def constant(*, external: bool) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], value=tensor(external=external))


def in_a_branch(*, external: bool) -> onnx.GraphProto:
    branch = graph(constant(external=external))
    return graph(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))


def in_a_function(*, external: bool) -> onnx.ModelProto:
    function = helper.make_function(
        "own", "f", [], ["c"], [constant(external=external)], [helper.make_opsetid("", 18)]
    )
    return helper.make_model(graph(), functions=[function])


@pytest.mark.parametrize("place", ["another file", "the graph"])
def test_weights_in_another_file_are_found_in_every_part_of_a_graph(place: str) -> None:
    external = place == "another file"
    sparse = onnx.SparseTensorProto(values=tensor(external=external))
    with_sparse = graph()
    with_sparse.sparse_initializer.append(sparse)
    models = [
        helper.make_model(graph(weights=(tensor(external=external),))),
        helper.make_model(graph(constant(external=external))),
        helper.make_model(in_a_branch(external=external)),
        in_a_function(external=external),
        helper.make_model(with_sparse),
    ]

    assert [has_external_data(one.SerializeToString()) for one in models] == [external] * 5


@pytest.mark.parametrize(
    "content", [b"rubbish", b"<?xml version='1.0'?>", b"\x3a\xff\xff", b"\x80"]
)
def test_a_file_that_is_not_onnx_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is"):
        has_external_data(content)


def field(tag: bytes, content: bytes) -> bytes:
    length, digits = len(content), b""
    while length > 127:
        digits += bytes([length & 127 | 128])
        length >>= 7
    return tag + digits + bytes([length]) + content


def test_a_graph_that_is_nested_too_deeply_is_refused() -> None:
    graph = b""
    for _ in range(200):
        node = field(b"\x2a", field(b"\x32", graph))  # an attribute that is a graph
        graph = field(b"\x0a", node)

    with pytest.raises(ValueError, match="nested too deeply"):
        has_external_data(field(b"\x3a", graph))
