package sightline.schedule

import java.nio.file.Files

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestPython
import sightline.model.ResultType.{Probabilities, Several, Tensors, TopK, Vector}

/** The messages in `tests/contract/worker_spec.json`, which a Python test reads too. */
final class WorkerSpecSuite extends AnyFunSuite {

  private val sha256 = "0123456789abcdef" * 4
  private val bulk = Some(WorkerSpec.Columns(Seq("__input0"), "__error"))

  private val base = WorkerSpec(
    WorkerSpec.Model("fruits", sha256, "fruits-0123456789ab"),
    InferenceSettings(),
    ImageSettings(),
    local = true,
    threads = 2,
    gpus = 0,
    TopK(),
  )

  private val specs = Map(
    "bulk, top_k" -> base.copy(columns = bulk),
    "scalar, top_k" -> base.copy(result = TopK(1)),
    "bulk, probabilities" -> base.copy(
      settings = InferenceSettings(backend = "openvino", precision = "bf16"),
      result = Probabilities,
      columns = bulk,
    ),
    "scalar, probabilities" -> base.copy(
      images = ImageSettings("exact", maxBytes = 1000, maxPixels = 2000),
      result = Probabilities,
    ),
    "bulk, vector" -> base.copy(
      settings = InferenceSettings(backend = "pytorch", device = "cuda", allowCode = true),
      gpus = 0.25,
      result = Vector(),
      columns = bulk,
    ),
    "bulk, vector of a named output" -> base.copy(
      result = Vector(Some("pooled")),
      columns = bulk,
    ),
    "scalar, vector" -> base.copy(
      settings = InferenceSettings(precision = "int8"),
      local = false,
      result = Vector(),
    ),
    "bulk, tensors, two inputs" -> base.copy(
      settings = InferenceSettings(batchRows = BatchRows.Fixed(1), casts = InferenceSettings.Lossy),
      threads = 1,
      result = Tensors(Seq("y", "z")),
      columns = Some(WorkerSpec.Columns(Seq("__input0", "__input1"), "__error")),
    ),
    "scalar, tensors" -> base.copy(result = Tensors(Seq("y"))),
    "scalar, several" -> base.copy(result = Several(Seq(TopK(), Vector()))),
  )

  test("each message is equal to the one in the contract") {
    val file = TestPython.root.resolve("tests/contract/worker_spec.json")
    val JArray(contract) = JsonMethods.parse(Files.readString(file)): @unchecked
    val expected = contract.map { entry =>
      val JString(name) = entry \ "name": @unchecked
      name -> (entry \ "spec")
    }.toMap
    assert(specs.keySet == expected.keySet)
    specs.foreach { case (name, spec) =>
      assert(JsonMethods.parse(spec.toJson) == expected(name), name)
    }
  }
}
