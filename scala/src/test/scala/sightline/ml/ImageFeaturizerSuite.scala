package sightline.ml

import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.scalatest.funsuite.AnyFunSuite

/** The features of images as vectors. */
final class ImageFeaturizerSuite extends AnyFunSuite with StageImages {

  private def featurizer = new ImageFeaturizer().setModel(means)

  test("features are the vectors that ml_features gives as arrays") {
    val images = table(red, green, blue)
    val features = rows(featurizer.transform(images)).map(_.getAs[Vector]("features"))
    images.createOrReplaceTempView("images")
    val arrays = rows(spark.sql(s"SELECT id, ml_features('$means', content) AS f FROM images"))
      .map(_.getStruct(1).getSeq[Float](0))
    assert(features.map(_.toArray.toSeq) == arrays.map(_.map(_.toDouble)))
    assert(features.head == Vectors.dense(255, 0, 0))
    assert(features.map(_.argmax) == Seq(0, 1, 2))
  }

  test("the features can be read outside of a query, as MLlib reads them when it fits") {
    val features = featurizer.transform(table(red, green, blue)).select("features").rdd
    assert(features.map(_.getAs[Vector](0).argmax).collect().sorted.toSeq == Seq(0, 1, 2))
  }
}
