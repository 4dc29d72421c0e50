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
      |)""".stripMargin
}
