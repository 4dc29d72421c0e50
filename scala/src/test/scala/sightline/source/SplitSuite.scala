package sightline.source

import org.scalatest.funsuite.AnyFunSuite

final class SplitSuite extends AnyFunSuite {

  test("the folder nearest to the file tells its split") {
    val splits = Map(
      "fruits/Training/Apple 1/r_5.jpg" -> Some("train"),
      "fruits/Test/Apple 1/r_5.jpg" -> Some("test"),
      "/data/flowers/train/rose/1.jpg" -> Some("train"),
      "gs://bucket/TEST/1.jpg" -> Some("test"),
      "imagenet/val/n01440764/1.jpg" -> Some("validation"),
      "/mnt/test/fruits/Training/Apple/1.jpg" -> Some("train"),
      "photos/rose/test.jpg" -> None,
      "photos/training set/1.jpg" -> None,
      "train" -> None,
    )
    assert(splits.map { case (path, _) => path -> Split.of(path) } == splits)
  }
}
