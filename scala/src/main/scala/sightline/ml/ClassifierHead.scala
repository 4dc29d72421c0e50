package sightline.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.classification.{
  LogisticRegression,
  LogisticRegressionModel,
  MultilayerPerceptronClassificationModel,
  MultilayerPerceptronClassifier,
}
import org.apache.spark.ml.feature.{StandardScaler, StandardScalerModel}
import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.ml.sightline.TrainingSummary
import org.apache.spark.sql.{DataFrame, SparkSession}

/** A fitted classifier of MLlib on vectors of features. */
sealed private[ml] trait ClassifierHead extends Serializable {

  /** The value of the Param `head` that the classifier was fitted with. */
  def kind: String

  /** The probability of each label. */
  def probability(features: Vector): Vector

  /** Writes MLlib's models below `path`. */
  def save(spark: SparkSession, path: String): Unit
}

private[ml] object ClassifierHead {

  private val Features = "features"
  private val Scaled = "scaled"

  final case class Logistic(model: LogisticRegressionModel) extends ClassifierHead {
    override def kind: String = ClassifierParams.Logistic
    override def probability(features: Vector): Vector = model.predictProbability(features)
    override def save(spark: SparkSession, path: String): Unit =
      model.write.session(spark).save(classifier(path))
  }

  /** @param scaler scales the features, as MLlib's logistic regression does by itself */
  final case class Perceptron(
      model: MultilayerPerceptronClassificationModel,
      scaler: StandardScalerModel,
  ) extends ClassifierHead {
    override def kind: String = ClassifierParams.Mlp

    override def probability(features: Vector): Vector = {
      val scaled = Array.tabulate(features.size) { at =>
        // MLlib gives 0 for a feature that is the same in every row.
        if (scaler.std(at) == 0) 0 else (features(at) - scaler.mean(at)) / scaler.std(at)
      }
      model.predictProbability(Vectors.dense(scaled))
    }

    override def save(spark: SparkSession, path: String): Unit = {
      model.write.session(spark).save(classifier(path))
      scaler.write.session(spark).save(scalerOf(path))
    }
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
        val scaler = new StandardScaler()
          .setWithMean(true)
          .setInputCol(Features)
          .setOutputCol(Scaled)
          .fit(rows)
        val classifier = new MultilayerPerceptronClassifier()
          .setFeaturesCol(Scaled)
          .setLayers((length +: params.getHiddenLayers) :+ labels)
          .setMaxIter(params.getMaxIter)
          .setSeed(params.getSeed)
        Perceptron(TrainingSummary.remove(classifier.fit(scaler.transform(rows))), scaler)
      case _ =>
        val classifier = new LogisticRegression()
          .setMaxIter(params.getMaxIter)
          .setRegParam(params.getRegParam)
          // Coefficients for each label, also if there are two.
          .setFamily("multinomial")
        Logistic(TrainingSummary.remove(classifier.fit(rows)))
    }

  /** Reads what [[ClassifierHead.save]] wrote below `path`. */
  def load(kind: String, path: String): ClassifierHead = kind match {
    case ClassifierParams.Mlp =>
      Perceptron(
        MultilayerPerceptronClassificationModel.load(classifier(path)),
        StandardScalerModel.load(scalerOf(path)),
      )
    case _ => Logistic(LogisticRegressionModel.load(classifier(path)))
  }

  private def classifier(path: String): String = new Path(path, "classifier").toString
  private def scalerOf(path: String): String = new Path(path, "scaler").toString
}
