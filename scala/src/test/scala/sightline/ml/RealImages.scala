package sightline.ml

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.scalatest.Assertions.assume

/** The photographs under `shared/data` of the workplace; tests without them are cancelled. */
object RealImages {

  private val roots = Seq("shared/data", "../shared/data", "../../shared/data")

  private lazy val data: Option[Path] =
    (sys.env.get("SIGHTLINE_TEST_DATA").toSeq ++ roots)
      .map(Paths.get(_).toAbsolutePath.normalize)
      .find(Files.isDirectory(_))

  /** The flowers of a split, `train` or `test`, sorted. */
  def flowers(split: String): Seq[Path] = {
    assume(data.isDefined, s"none of ${roots.mkString(", ")} has the photographs of the tests")
    Using.resource(Files.walk(data.get.resolve(s"flowers/dev/$split")))(
      _.iterator.asScala.filter(_.toString.endsWith(".jpg")).toSeq.sorted
    )
  }

  /** The folder of a bundle with features and ImageNet's classes. */
  def featurizer(): String = {
    val bundle = Paths.get("models/efficientnet_lite0").toAbsolutePath
    assume(Files.exists(bundle.resolve("model.json")), s"$bundle is missing: run make models")
    bundle.toString
  }
}
