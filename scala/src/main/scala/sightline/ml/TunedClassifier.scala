package sightline.ml

import org.apache.spark.ml.classification.{
  LogisticRegressionModel,
  MultilayerPerceptronClassificationModel,
  ProbabilisticClassificationModel,
}
import org.apache.spark.sql.SparkSession

import sightline.plan.StageInference

/** Makes the fitted [[ImageClassifier]] of a classifier that `sightline tune` has fitted. */
object TunedClassifier {

  /**
   * @param classifier the estimator, with the model that computed the features
   * @param labels the labels in the order of their indices
   * @param fitted a classifier on the features, whose labels are these indices
   */
  def of(
      classifier: ImageClassifier,
      labels: Array[String],
      fitted: ProbabilisticClassificationModel[?, ?],
  ): ImageClassifierModel = {
    val head = fitted match {
      case model: LogisticRegressionModel => ClassifierHead.Logistic(model)
      case model: MultilayerPerceptronClassificationModel => ClassifierHead.Perceptron(model)
      case other => throw new IllegalArgumentException(s"no head of a classifier: $other")
    }
    val found = StageInference.find(SparkSession.active, classifier.wanted)
    new ImageClassifierModel(classifier.uid, labels, head)
      .copy(classifier.extractParamMap())
      .setParent(classifier)
      .set(classifier.modelSha256, found.bundle.sha256)
  }
}
