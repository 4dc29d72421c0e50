package sightline.ml

import org.apache.spark.ml.classification.{
  LogisticRegression,
  LogisticRegressionModel,
  MultilayerPerceptronClassificationModel,
  MultilayerPerceptronClassifier,
}
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.util.MLWritable
import org.apache.spark.sql.DataFrame

/** A fitted classifier of MLlib on vectors of features. */
sealed private[ml] trait ClassifierHead extends Serializable {

  /** MLlib's model, which can be saved. */
  def model: MLWritable

  /** The probability of each label. */
  def probability(features: Vector): Vector
}

private[ml] object ClassifierHead {

  final case class Logistic(model: LogisticRegressionModel) extends ClassifierHead {
    override def probability(features: Vector): Vector = model.predictProbability(features)
  }

  final case class Perceptron(model: MultilayerPerceptronClassificationModel)
      extends ClassifierHead {
    override def probability(features: Vector): Vector = model.predictProbability(features)
  }

  /**
   * Fits the classifier that the Params name.
   *
   * @param rows columns `features`, and the labels' indices as `label`
   * @param length the length of the features
   * @param labels the number of labels
   */
  def fit(params: ClassifierParams, rows: DataFrame, length: Int, labels: Int): ClassifierHead =
    params.getHead match {
      case ClassifierParams.Mlp =>
        val layers = (length +: params.getHiddenLayers) :+ labels
        val classifier = new MultilayerPerceptronClassifier()
          .setLayers(layers)
          .setMaxIter(params.getMaxIter)
          .setSeed(params.getSeed)
        Perceptron(classifier.fit(rows))
      case _ =>
        val classifier = new LogisticRegression()
          .setMaxIter(params.getMaxIter)
          .setRegParam(params.getRegParam)
          // One class of coefficients for each label, also for two labels.
          .setFamily("multinomial")
        Logistic(classifier.fit(rows))
    }

  def load(kind: String, path: String): ClassifierHead = kind match {
    case ClassifierParams.Mlp => Perceptron(MultilayerPerceptronClassificationModel.load(path))
    case _ => Logistic(LogisticRegressionModel.load(path))
  }
}
