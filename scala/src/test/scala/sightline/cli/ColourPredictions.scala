package sightline.cli

import java.awt.Color
import java.nio.file.{Files, Path}

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.write
import sightline.{ColourBundle, TestImage}

/** Runs of `predict` on a folder of four images, one of which cannot be decoded. */
trait ColourPredictions extends CommandRuns { this: AnyFunSuite =>

  val model: String = ColourBundle.bundle.folder.toString

  def images(folder: Path): Path = {
    write(folder, "images/red/a.png", TestImage.of(Color.RED)): Unit
    write(folder, "images/red/b.png", TestImage.of(Color.BLUE)): Unit
    write(folder, "images/blue/c.jpg", TestImage.of(Color.BLUE, "jpg")): Unit
    write(folder, "images/blue/bad.png", "no image"): Unit
    folder.resolve("images")
  }

  def predict(folder: Path, images: Any, more: Any*): Output =
    run(predictLine(folder, images, more: _*): _*)

  def predictLine(folder: Path, images: Any, more: Any*): Seq[Any] =
    Seq[Any]("predict", "--images", images, "--model", model, "--output", s"$folder/out") ++ more

  def json(file: Path): JValue = JsonMethods.parse(Files.readString(file))
}
