package sightline.ml

import org.apache.spark.ml.classification.{
  LogisticRegressionModel,
  MultilayerPerceptronClassificationModel,
}
import org.apache.spark.ml.feature.StandardScalerModel
import org.apache.spark.ml.{PipelineModel, Transformer}
import org.apache.spark.sql.SparkSession

import sightline.plan.StageInference

/** Makes the fitted [[ImageClassifier]] of a classifier that `sightline tune` has fitted. */
object TunedClassifier {

  /**
   * @param classifier the estimator, with the model that computed the features
   * @param labels the labels in the order of their indices
   * @param fitted a classifier on the features, whose labels are these indices: logistic
   *   regression, or a pipeline of a scaler and a multilayer perceptron
   */
  def of(
      classifier: ImageClassifier,
      labels: Array[String],
      fitted: Transformer,
  ): ImageClassifierModel = {
    val found = StageInference.find(SparkSession.active, classifier.wanted)
    new ImageClassifierModel(classifier.uid, labels, head(fitted))
      .copy(classifier.extractParamMap())
      .setParent(classifier)
      .set(classifier.modelSha256, found.bundle.sha256)
  }

  private def head(fitted: Transformer): ClassifierHead = fitted match {
    case model: LogisticRegressionModel => ClassifierHead.Logistic(model)
    case pipeline: PipelineModel =>
      pipeline.stages match {
        case Array(scaler: StandardScalerModel, model: MultilayerPerceptronClassificationModel) =>
          ClassifierHead.Perceptron(model, scaler)
        case _ => throw new IllegalArgumentException(s"no head of a classifier: $pipeline")
      }
    case other => throw new IllegalArgumentException(s"no head of a classifier: $other")
  }
}
