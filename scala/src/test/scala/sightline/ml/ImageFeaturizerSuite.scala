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

  test("an empty image between two good ones keeps every answer at its own row") {
    val found = rows(featurizer.transform(table(red, empty, blue, text, none, green)))
    val errors = found.map(row => Option(row.getAs[org.apache.spark.sql.Row]("error")))
    assert(found.map(_.getInt(0)) == (1 to 6))
    assert(
      errors.map(_.map(_.getString(0))) ==
        Seq(None, Some("EMPTY"), None, Some("UNSUPPORTED"), Some("INVALID_INPUT"), None)
    )
    val largest = found.map(row => Option(row.getAs[Vector]("features")).map(_.argmax))
    assert(largest == Seq(Some(0), None, Some(2), None, None, Some(1)))
  }
}
