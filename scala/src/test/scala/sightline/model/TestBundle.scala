package sightline.model

import java.nio.file.Path
import java.security.MessageDigest
import java.util.HexFormat

import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods
import org.json4s.{JArray, JInt, JObject, JString, JValue}

import sightline.TestFolder.write

/** Bundles whose files have a few letters, for tests that only read and hash the files. */
object TestBundle {

  private val files = Map("model.onnx" -> "graph", "labels.txt" -> "cat\ndog\n")

  /** A manifest for `files`, with the fields in `changes` replaced. */
  def manifest(changes: (String, JValue)*): JObject = {
    val whole = ("format" -> 1) ~
      ("name" -> "pets") ~
      ("task" -> "classification") ~
      ("classes" -> 2) ~
      ("labels" -> "labels.txt") ~
      ("variants" -> ("onnx" -> (("file" -> "model.onnx") ~ ("opset" -> 18)))) ~
      ("outputs" -> Seq(output("logits", "scores", Seq(JString("n"), JInt(2))))) ~
      ("golden" -> ("tolerance" -> 0.001)) ~
      ("files" -> files.map { case (name, text) => name -> sha256(text) })
    changes.foldLeft(whole) { case (json, (name, value)) =>
      JObject(json.obj.filterNot(_._1 == name)) ~ (name -> value)
    }
  }

  /** The entry of an output in a manifest. */
  def output(name: String, role: String, shape: Seq[JValue]): JObject =
    ("name" -> name) ~ ("role" -> role) ~ ("shape" -> JArray(shape.toList))

  def text(changes: (String, JValue)*): String = JsonMethods.compact(manifest(changes: _*))

  /** Writes the bundle `name` below `models`. */
  def in(models: Path, name: String = "pets", changes: Seq[(String, JValue)] = Nil): Path = {
    files.foreach { case (file, text) => write(models, s"$name/$file", text) }
    write(models, s"$name/model.json", text(changes: _*)).getParent
  }

  private def sha256(text: String): String =
    HexFormat.of.formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes))
}
