package sightline.model

import org.apache.spark.sql.types.LongType
import org.json4s.*
import org.json4s.JsonDSL.*
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.source.Columns

final class ManifestSuite extends AnyFunSuite {

  private def parsed(changes: (String, JValue)*): Manifest =
    Manifest.parse(TestBundle.text(changes: _*), "/models/pets")

  private def refused(changes: (String, JValue)*): String = message(TestBundle.text(changes: _*))

  private def message(json: String): String = {
    val error = intercept[SightlineException](Manifest.parse(json, "/models/pets"))
    assert((error.code, error.exitStatus) == (("INVALID_BUNDLE", 2)))
    assert(error.getMessage.startsWith("INVALID_BUNDLE: /models/pets: "))
    error.getMessage
  }

  test("a manifest has the name, the classes, the variants and the hashes") {
    val manifest = parsed()
    assert(manifest.name == "pets")
    assert(manifest.signature.classCount == 2)
    assert(manifest.signature.labelsFile.contains("labels.txt"))
    assert(manifest.variants == Map("onnx" -> "model.onnx"))
    assert(manifest.architectures.isEmpty)
    assert(manifest.files.keySet == Set("model.onnx", "labels.txt"))
  }

  test("a variant can have the code for its weights") {
    val torch: JObject = ("file" -> "model.onnx") ~ ("architecture" -> "timm:resnet18")
    assert(
      parsed("variants" -> ("pytorch" -> torch)).architectures == Map("pytorch" -> "timm:resnet18")
    )
  }

  test("a manifest has the calibrated modes; an older one without the field has none") {
    val entry = ("backend" -> "onnx") ~ ("precision" -> "int8") ~
      ("rows" -> 500) ~ ("agreement" -> 0.98) ~ ("top1" -> JNull) ~ ("top1_fp32" -> JNull) ~
      ("images" -> "imagenet/labels.csv")
    assert(
      parsed("calibration" -> Seq(entry)).calibrated == Seq(CalibratedMode("onnx", "int8"))
    )
    assert(parsed().calibrated.isEmpty)
    assert(refused("calibration" -> "none").contains("model.json cannot be read"))
  }

  test("an older bundle was calibrated for each decoder: scaled does not count") {
    def modes(decoders: String*): Seq[CalibratedMode] = {
      val entries = decoders.map { decoder =>
        ("backend" -> "openvino") ~ ("precision" -> "bf16") ~ ("decoder" -> decoder)
      }
      parsed("calibration" -> entries).calibrated
    }
    assert(modes("pillow", "turbo", "scaled") == Seq(CalibratedMode("openvino", "bf16")))
    assert(modes("scaled").isEmpty)
  }

  test("a file outside the bundle is rejected in every field") {
    Seq("../x", "a/../../x", "/etc/passwd", "..", "a\\..\\x", "").foreach { file =>
      assert(refused("labels" -> file).contains(s"'$file' is outside the bundle"))
      assert(refused("files" -> (file -> "00")).contains(s"'$file' is outside the bundle"))
      val variant: JObject = "onnx" -> ("file" -> file)
      assert(refused("variants" -> variant).contains(s"'$file' is outside the bundle"))
    }
  }

  test("a file without a hash is rejected") {
    assert(refused("labels" -> "names.txt").contains("'names.txt' has no sha256"))
  }

  test("another format is rejected, and the error has both numbers") {
    assert(
      refused("format" -> 3).contains("its format is 3, this Sightline reads formats 1 and 2")
    )
  }

  test("another task is rejected, and the error has the known one") {
    assert(refused("task" -> "detection").contains("'detection'. Known: classification"))
  }

  test("a text that is not a manifest is rejected with an error of one line") {
    Seq("", "{", "[]", "null", "{}", """{"format": "x"}""", "\u0000").foreach { json =>
      assert(message(json).linesIterator.size == 1)
    }
    assert(refused("classes" -> "two").contains("'classes' must be an integer from 1"))
  }

  private val digits = JInt(BigInt("9" * 400))

  test("numbers out of range are rejected, even with hundreds of digits") {
    val tooMany = Seq(JInt(0), JInt(BigInt(2).pow(32) + 2), digits, JDouble(2.5))
    tooMany.foreach { classes =>
      val found = refused("classes" -> classes)
      assert(found.contains("'classes' must be an integer from 1 to 10000000"))
    }
    assert(refused("format" -> JInt(BigInt(2).pow(32) + 1)).contains("its format is 4294967297"))
    Seq(JDouble(1e300), digits, JInt(0), JDouble(-1), JNothing).foreach { tolerance =>
      val golden: JObject = "tolerance" -> tolerance
      val found = refused("golden" -> golden)
      assert(found.contains("'golden.tolerance' must be above 0 and at most 655"))
    }
  }

  test("outputs of scores and features have the shape [n, length]") {
    val shapes = Seq(
      List(JString("n")) -> "the shape of 'pooled', its features, is not [n, length]",
      List(JInt(4), JInt(8)) -> "the shape of 'pooled' does not begin with the batch axis n",
      List(JString("n"), JString("k")) ->
        "the shape of 'pooled', its features, is not [n, length]",
      List(JString("n"), digits) -> "'shape' must be an integer from 1",
    )
    shapes.foreach { case (shape, message) =>
      val outputs = Seq(
        TestBundle.output("logits", "scores", List(JString("n"), JInt(2))),
        TestBundle.output("pooled", "features", shape),
      )
      assert(refused("outputs" -> outputs).contains(message))
    }
    val map = TestBundle.output("map", "tensor", List(JString("n"), JInt(2), JInt(7), JInt(7)))
    assert(
      parsed("outputs" -> Seq(map)).signature.outputs ==
        Seq(
          ModelOutput(TensorSpec("map", "float32", Seq(2, 7, 7).map(Axis.Fixed.apply)), Head.Tensor)
        )
    )
  }

  private def format2(changes: (String, JValue)*): Seq[(String, JValue)] = Seq(
    "format" -> JInt(2),
    "task" -> JNothing,
    "classes" -> JNothing,
    "labels" -> JNothing,
    "inputs" -> input("tensor"),
    "outputs" -> head("y", ("kind" -> "classes") ~ ("labels" -> "labels.txt")),
  ) ++ changes

  private def input(feed: String, dtype: String = "float32", axes: Seq[Int] = Seq(4)): JValue =
    JArray(List(tensor("x", dtype, axes) ~ ("feed" -> ("kind" -> feed))))

  private def head(name: String, head: JObject): JValue =
    JArray(List(tensor(name, "float32", Seq(2)) ~ ("head" -> head)))

  private def tensor(name: String, dtype: String, axes: Seq[Int]): JObject =
    ("name" -> name) ~ ("dtype" -> dtype) ~
      ("shape" -> JArray(JString("n") :: axes.map(JInt(_)).toList))

  test("a manifest of format 2 has the feed of each input and the head of each output") {
    val signature = parsed(format2(): _*).signature
    val x = TensorSpec("x", "float32", Seq(Axis.Fixed(4)))
    assert(signature.inputs == Seq(ModelInput(x, Feed.Tensor)))
    assert(signature.outputs.map(_.head) == Seq(Head.Classes("labels.txt")))
    assert((signature.classCount, signature.labelsFile) == ((2, Some("labels.txt"))))
    assert(signature.vector.isEmpty)
    val scalar = parsed(format2("inputs" -> input("tensor", "int64", Nil)): _*).signature
    assert(scalar.inputs.head.tensor.dataType == LongType)
    val pixels = parsed(format2("inputs" -> input("image", "uint8", Seq(8, 8, 3))): _*).signature
    assert(pixels.inputs.head.feed == Feed.Image)
    assert(pixels.inputs.head.tensor.dataType.sql == "ARRAY<ARRAY<ARRAY<SMALLINT>>>")
    val vector = parsed(format2("outputs" -> head("y", "kind" -> "vector")): _*).signature
    assert(vector.vector.map(_.tensor.name).contains("y"))
    assert(vector.labelsFile.isEmpty)
  }

  test("an unknown feed, head or dtype is rejected, and the error lists the known ones") {
    Seq(
      ("inputs" -> input("tokens")) -> "the feed of 'x' is 'tokens'. Known: image, tensor",
      ("outputs" -> head("y", "kind" -> "boxes")) ->
        "the head of 'y' is 'boxes'. Known: classes, vector, tensor",
      ("inputs" -> input("tensor", "float8")) ->
        "the dtype of 'x' is 'float8'. Known: bool, float16, float32, float64, int16,",
      ("inputs" -> JArray(Nil)) -> "it has no inputs",
      ("outputs" -> JArray(Nil)) -> "it has no outputs",
    ).foreach { case (change, message) =>
      assert(refused(format2(change): _*).contains(message))
    }
    val flat = JArray(List(tensor("y", "float32", Nil) ~ ("head" -> ("kind" -> "vector"))))
    assert(
      refused(format2("outputs" -> flat): _*)
        .contains("the shape of 'y', its vector head, is not [n, length]")
    )
  }

  private def shaped(name: String, dtype: String, shape: Seq[JValue], kind: JObject): JObject =
    ("name" -> name) ~ ("dtype" -> dtype) ~ ("shape" -> JArray(shape.toList)) ~
      ("head" -> kind)

  private def row(axes: JValue*): Seq[JValue] = JString("n") +: axes

  test("axes of tensors can be free, and their names and lengths are checked") {
    def output(kind: String, dtype: String, axes: JValue*): (String, JValue) =
      "outputs" -> JArray(List(shaped("y", dtype, row(axes: _*), "kind" -> kind)))
    val tokens = parsed(format2(output("tensor", "float32", JString("tokens"), JInt(384))): _*)
    val tensor = tokens.signature.outputs.head.tensor
    assert(tensor.shape == Seq(Axis.Free("tokens"), Axis.Fixed(384)))
    assert(tensor.toString == "float32 [n, tokens, 384]" && !tensor.isFixed)
    assert(tensor.dataType.sql == "ARRAY<ARRAY<FLOAT>>")
    Seq(
      output("tensor", "float32", JString("t-1")) -> "the shape of 'y' has the axis 't-1'",
      output("tensor", "float32", JString("n")) -> "the shape of 'y' uses the batch axis 'n' twice",
      output("tensor", "float32", JInt(0)) -> "'shape' must be an integer from 1",
      output("tensor", "uint8", JInt(1 << 20), JString("k"), JInt(1 << 12)) ->
        "the shape of 'y' has more than 2147483648 elements per row",
      output("vector", "float32", JString("k")) -> "'y', its vector head, is not [n, length]",
      output("vector", "int32", JInt(4)) ->
        "the dtype of 'y', its vector head, is 'int32'. Known: float32, float64, float16",
    ).foreach { case (change, message) =>
      assert(refused(format2(change): _*).contains(message))
    }
    val image = shaped("x", "uint8", row(JString("h"), JInt(8), JInt(3)), "kind" -> "image")
    val feed = JArray(List(JObject(image.obj :+ ("feed" -> JObject("kind" -> JString("image"))))))
    assert(
      refused(format2("inputs" -> feed): _*).contains("the shape of 'x', an image, has a free")
    )
  }

  test("each dtype has a type of Spark") {
    val types = Map(
      "float16" -> "FLOAT",
      "float64" -> "DOUBLE",
      "uint16" -> "INT",
      "uint32" -> "BIGINT",
      "uint64" -> "DECIMAL(20,0)",
      "bool" -> "BOOLEAN",
    )
    types.foreach { case (dtype, sql) =>
      val read = parsed(format2("inputs" -> input("tensor", dtype, Nil)): _*).signature
      assert(read.inputs.head.tensor.dataType.sql == sql)
    }
  }

  test("batch_rows has the measured batch size of each backend, if there is any") {
    val sizes = JObject("onnx" -> JInt(4), "pytorch" -> JInt(8))
    assert(parsed(format2("batch_rows" -> sizes): _*).batchRows == Map("onnx" -> 4, "pytorch" -> 8))
    assert(parsed(format2(): _*).batchRows.isEmpty)
    Seq[JValue](JInt(0), JInt(1000001), JString("4"), JDouble(4.0)).foreach { rows =>
      val message = refused(format2("batch_rows" -> JObject("onnx" -> rows)): _*)
      assert(message.contains("'batch_rows.onnx' must be an integer from 1 to 1000000"))
    }
    assert(refused(format2("batch_rows" -> JInt(4)): _*).contains("'batch_rows' must be an object"))
  }

  test("most_rows, the largest batch of a model, is a number of rows") {
    assert(parsed(format2("most_rows" -> JInt(1)): _*).name == "pets")
    Seq(JInt(0), JString("1"), JInt(1000001)).foreach { rows =>
      val message = refused(format2("most_rows" -> rows): _*)
      assert(message.contains("'most_rows' must be an integer from 1 to 1000000"))
    }
  }

  test("no output is named error, and names differ by more than case") {
    val kind: JObject = "kind" -> "tensor"
    def outputs(names: String*): JValue =
      JArray(names.map(tensor(_, "float32", Seq(2)) ~ ("head" -> kind)).toList)
    Seq(outputs("Error"), outputs("y", "Y")).foreach { wrong =>
      assert(
        refused(format2("outputs" -> wrong): _*).contains(
          "'outputs' must have names that differ by more than case, and no output is named error"
        )
      )
    }
  }

  test("a tensor of format 1 with a second free axis is left out") {
    val outputs = Seq(
      TestBundle.output("logits", "scores", List(JString("n"), JInt(2))),
      TestBundle.output("boxes", "tensor", List(JString("n"), JString("t"), JInt(4))),
      TestBundle.output("map", "tensor", List(JString("n"), JInt(7), JInt(7))),
    )
    assert(
      parsed("outputs" -> outputs).signature.outputs.map(_.tensor.name) == Seq("logits", "map")
    )
  }

  test("the signature of format 1 has the feeds, heads and result types of format 2") {
    val outputs = Seq(
      TestBundle.output("logits", "scores", List(JString("n"), JInt(2))),
      TestBundle.output("pooled", "features", List(JString("n"), JInt(8))),
    )
    val signature = parsed("outputs" -> outputs).signature
    assert(signature.inputs.map(_.feed) == Seq(Feed.Image))
    assert(signature.outputs.map(_.head) == Seq(Head.Classes("labels.txt"), Head.Vector))
    assert(ResultType.prediction(signature, 3) == ResultType.TopK(3))
    assert(ResultType.TopK().dataType(signature) == Columns.PredictionType)
    assert(ResultType.Vector().dataType(signature).fieldNames.toSeq == Seq(Columns.Features))
    val tensors = Signature(signature.inputs, signature.outputs.drop(1))
    val all = ResultType.prediction(tensors, 3)
    assert(all == ResultType.Tensors(Seq("pooled")))
    assert(all.dataType(tensors).sql == "STRUCT<pooled: ARRAY<FLOAT>>")
  }
}
