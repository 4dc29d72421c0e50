package sightline

import java.nio.file.Path

import sightline.model.{Bundle, TemporaryFolder}

/**
 * Bundles of format 2 whose inputs are numbers, created once per run of the tests.
 *
 * `iris` takes x, float32 [n, 4], and returns y, float32 [n, 2]: the sums of its first and of its last
 * two elements, and `sum`, float32 [n]: the sum of all. `pixels` takes x, uint8 [n, 2, 2], and gives
 * y, uint8 [n, 2, 2]: the same numbers. `pair` takes a, float32 [n], and b, float32 [n, 2], and gives
 * y, float32 [n, 2]: a times b. `change` takes two images, before and after, uint8 [n, 2, 2, 3], and
 * gives y, float32 [n]: the sum of after minus the sum of before.
 *
 * `mixed` takes an image, photo, uint8 [n, 2, 2, 3], and x, float32 [n, 2], and gives y, float32
 * [n, 2]: x times the sum of the image. `words` takes ids and mask, int64 [n, tokens], and gives y,
 * float32 [n, tokens]: ids times mask, and `sum`, float32 [n]. `counts` takes x, int32 [n, 2], and
 * gives y, the same. `flags` takes x, bool [n, 2], and gives y, bool [n, 2]: not x. `types` takes four
 * numbers, f16, u16, u32 and u64, [n], and gives them as of16, ou16, ou32 and ou64. `embed` takes x,
 * float32 [n, 2], and gives two vectors: single, float32 [n, 2]: x, and double, float64 [n, 2]: 2 x.
 */
object TensorBundle {

  /** The folder `models` that contains them. */
  lazy val models: Path = {
    val folder = TemporaryFolder.create("test").resolve("models")
    TestPython.run(program, arguments = Seq(folder.toString)): Unit
    folder
  }

  lazy val iris: Bundle = Bundle.open(models.resolve("iris"))
  lazy val pixels: Bundle = Bundle.open(models.resolve("pixels"))
  lazy val pair: Bundle = Bundle.open(models.resolve("pair"))
  lazy val change: Bundle = Bundle.open(models.resolve("change"))
  lazy val mixed: Bundle = Bundle.open(models.resolve("mixed"))
  lazy val words: Bundle = Bundle.open(models.resolve("words"))
  lazy val counts: Bundle = Bundle.open(models.resolve("counts"))
  lazy val flags: Bundle = Bundle.open(models.resolve("flags"))
  lazy val types: Bundle = Bundle.open(models.resolve("types"))
  lazy val embed: Bundle = Bundle.open(models.resolve("embed"))

  private def program: String =
    """import hashlib, json, sys
      |from pathlib import Path
      |import numpy as np
      |from onnx import TensorProto, checker, helper
      |from safetensors.numpy import save
      |
      |def write(folder, nodes, constants, inputs, outputs, golden):
      |    def info(spec):
      |        type_ = helper.np_dtype_to_tensor_dtype(np.dtype(spec["dtype"]))
      |        return helper.make_tensor_value_info(spec["name"], type_, spec["shape"])
      |    graph = helper.make_graph(nodes, folder.name, list(map(info, inputs)),
      |        list(map(info, outputs)), constants)
      |    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
      |    checker.check_model(model)
      |    files = {"model.onnx": model.SerializeToString(), "golden.safetensors": save(golden)}
      |    manifest = {
      |        "format": 2, "name": folder.name, "description": "For tests.",
      |        "inputs": inputs, "outputs": outputs,
      |        "variants": {"onnx": {"file": "model.onnx", "opset": 18}}, "parameters": 0,
      |        "golden": {"file": "golden.safetensors", "rows": 2, "tolerance": 0.001,
      |            "max_abs_delta": {"onnx": 0.0}},
      |        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
      |        "licence": "MIT", "source": "tests", "created_by": "tests",
      |    }
      |    folder.mkdir(parents=True)
      |    for name, content in files.items():
      |        (folder / name).write_bytes(content)
      |    (folder / "model.json").write_text(json.dumps(manifest))
      |
      |def spec(name, dtype, shape, **kind):
      |    return {"name": name, "dtype": dtype, "shape": ["n", *shape], **kind}
      |
      |models = Path(sys.argv[1])
      |tensor = {"kind": "tensor"}
      |weights = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]
      |x = np.arange(8, dtype=np.float32).reshape(2, 4)
      |write(
      |    models / "iris",
      |    [helper.make_node("MatMul", ["x", "w"], ["y"]),
      |     helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=0)],
      |    [helper.make_tensor("w", TensorProto.FLOAT, [4, 2], weights),
      |     helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
      |    [spec("x", "float32", [4], feed=tensor)],
      |    [spec("y", "float32", [2], head=tensor), spec("sum", "float32", [], head=tensor)],
      |    {"input:x": x, "output:y": x @ np.float32(weights).reshape(4, 2), "output:sum": x.sum(1)},
      |)
      |x = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
      |write(
      |    models / "pixels", [helper.make_node("Identity", ["x"], ["y"])], [],
      |    [spec("x", "uint8", [2, 2], feed=tensor)], [spec("y", "uint8", [2, 2], head=tensor)],
      |    {"input:x": x, "output:y": x},
      |)
      |a, b = np.float32([1, 2]), np.float32([[1, 2], [3, 4]])
      |write(
      |    models / "pair",
      |    [helper.make_node("Unsqueeze", ["a", "axes"], ["column"]),
      |     helper.make_node("Mul", ["column", "b"], ["y"])],
      |    [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
      |    [spec("a", "float32", [], feed=tensor), spec("b", "float32", [2], feed=tensor)],
      |    [spec("y", "float32", [2], head=tensor)],
      |    {"input:a": a, "input:b": b, "output:y": a[:, None] * b},
      |)
      |image = {"kind": "image", "color": "RGB", "mean": [0, 0, 0], "std": [1, 1, 1], "crop": None,
      |    "resize": {"mode": "stretch", "height": 2, "width": 2, "interpolation": "nearest"}}
      |before = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
      |after = before[::-1]
      |write(
      |    models / "change",
      |    [helper.make_node("Cast", ["before"], ["b"], to=TensorProto.FLOAT),
      |     helper.make_node("Cast", ["after"], ["a"], to=TensorProto.FLOAT),
      |     helper.make_node("Sub", ["a", "b"], ["d"]),
      |     helper.make_node("ReduceSum", ["d", "axes"], ["y"], keepdims=0)],
      |    [helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])],
      |    [spec("before", "uint8", [2, 2, 3], feed=image),
      |     spec("after", "uint8", [2, 2, 3], feed=image)],
      |    [spec("y", "float32", [], head=tensor)],
      |    {"input:before": before, "input:after": np.ascontiguousarray(after),
      |     "output:y": (after.astype(np.float32) - before).sum((1, 2, 3))},
      |)
      |axes = helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])
      |x = np.float32([[1, 2], [3, 4]])
      |write(
      |    models / "mixed",
      |    [helper.make_node("Cast", ["photo"], ["p"], to=TensorProto.FLOAT),
      |     helper.make_node("ReduceSum", ["p", "axes"], ["all"], keepdims=0),
      |     helper.make_node("Unsqueeze", ["all", "one"], ["column"]),
      |     helper.make_node("Mul", ["column", "x"], ["y"])],
      |    [axes, helper.make_tensor("one", TensorProto.INT64, [1], [1])],
      |    [spec("photo", "uint8", [2, 2, 3], feed=image), spec("x", "float32", [2], feed=tensor)],
      |    [spec("y", "float32", [2], head=tensor)],
      |    {"input:photo": before, "input:x": x,
      |     "output:y": before.astype(np.float32).sum((1, 2, 3))[:, None] * x},
      |)
      |ids, mask = np.int64([[1, 2, 3], [4, 5, 6]]), np.int64([[1, 1, 1], [1, 1, 0]])
      |write(
      |    models / "words",
      |    [helper.make_node("Mul", ["ids", "mask"], ["kept"]),
      |     helper.make_node("Cast", ["kept"], ["y"], to=TensorProto.FLOAT),
      |     helper.make_node("ReduceSum", ["y", "axes"], ["sum"], keepdims=0)],
      |    [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
      |    [spec("ids", "int64", ["tokens"], feed=tensor),
      |     spec("mask", "int64", ["tokens"], feed=tensor)],
      |    [spec("y", "float32", ["tokens"], head=tensor), spec("sum", "float32", [], head=tensor)],
      |    {"input:ids": ids, "input:mask": mask, "output:y": (ids * mask).astype(np.float32),
      |     "output:sum": (ids * mask).sum(1).astype(np.float32)},
      |)
      |for name, node, dtype, x in (
      |    ("counts", "Identity", "int32", np.int32([[1, 2], [3, 4]])),
      |    ("flags", "Not", "bool", np.array([[True, False], [True, True]])),
      |):
      |    write(
      |        models / name, [helper.make_node(node, ["x"], ["y"])], [],
      |        [spec("x", dtype, [2], feed=tensor)], [spec("y", dtype, [2], head=tensor)],
      |        {"input:x": x, "output:y": ~x if name == "flags" else x},
      |    )
      |types = {"f16": "float16", "u16": "uint16", "u32": "uint32", "u64": "uint64"}
      |numbers = {name: np.array([1, 2], dtype) for name, dtype in types.items()}
      |write(
      |    models / "types",
      |    [helper.make_node("Identity", [name], ["o" + name]) for name in types], [],
      |    [spec(name, dtype, [], feed=tensor) for name, dtype in types.items()],
      |    [spec("o" + name, dtype, [], head=tensor) for name, dtype in types.items()],
      |    {f"input:{name}": x for name, x in numbers.items()}
      |    | {f"output:o{name}": x for name, x in numbers.items()},
      |)
      |x = np.float32([[1, 2], [3, 4]])
      |write(
      |    models / "embed",
      |    [helper.make_node("Identity", ["x"], ["single"]),
      |     helper.make_node("Add", ["x", "x"], ["two"]),
      |     helper.make_node("Cast", ["two"], ["double"], to=TensorProto.DOUBLE)], [],
      |    [spec("x", "float32", [2], feed=tensor)],
      |    [spec("single", "float32", [2], head={"kind": "vector"}),
      |     spec("double", "float64", [2], head={"kind": "vector"})],
      |    {"input:x": x, "output:single": x, "output:double": 2.0 * x.astype(np.float64)},
      |)""".stripMargin
}
