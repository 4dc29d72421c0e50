package sightline.pca

import java.util.Locale

import org.json4s.JsonDSL.*
import org.json4s.{JField, JInt, JNull, JObject, JValue}

/**
 * A model and the results of its fitting.
 *
 * @param spectrum the share of the total variance of each component, 0 to 1; only of the first k for a
 *   model of an earlier run
 * @param fittedOn the number of training rows; None for a model of an earlier run
 */
final case class FittedComponents(
    model: ComponentModel,
    spectrum: Seq[Double],
    fittedOn: Option[Long],
) {

  /** The share of the total variance that the model's components keep, 0 to 1. */
  def explained: Double = model.explainedVariance.sum

  /** The number of components that keep `share` of the variance; None if it is not known. */
  def componentsFor(share: Double): Option[Int] = {
    val reached = spectrum.scanLeft(0d)(_ + _).indexWhere(_ >= share)
    Option.when(reached >= 0)(reached)
  }

  /** The fields of the run's record. */
  def json: JObject =
    ("k" -> model.k) ~
      ("features" -> model.features) ~
      ("fitted_on" -> fittedOn) ~
      ("explained_variance" -> model.explainedVariance) ~
      ("spectrum" -> spectrum) ~
      ("components_for" -> JObject(FittedComponents.Shares.map { share =>
        JField(
          "%.2f".formatLocal(Locale.ROOT, share),
          componentsFor(share).fold[JValue](JNull)(JInt(_)),
        )
      }.toList)) ~
      ("compression_ratio" -> model.features.toDouble / model.k)
}

object FittedComponents {

  /** The shares of the variance that reports list. */
  val Shares: Seq[Double] = Seq(0.90, 0.95, 0.99)
}
