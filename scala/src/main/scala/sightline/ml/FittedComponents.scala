package sightline.ml

import java.util.Locale

import org.json4s.JsonDSL.*
import org.json4s.{JField, JInt, JNull, JObject, JValue}

/**
 * A model, and what its fitting told.
 *
 * @param spectrum shares of the total variance, 0 to 1, of all components; of the first k alone where
 *   an earlier model is applied, which keeps no others
 * @param fittedOn how many rows; None where an earlier model is applied
 */
final case class FittedComponents(
    model: ComponentModel,
    spectrum: Seq[Double],
    fittedOn: Option[Long],
) {

  /** Share of the total variance that the model's components keep, 0 to 1. */
  def explained: Double = model.explainedVariance.sum

  /** How many components it takes to keep `share`; None where that is not known. */
  def componentsFor(share: Double): Option[Int] = {
    val reached = spectrum.scanLeft(0d)(_ + _).indexWhere(_ >= share)
    Option.when(reached >= 0)(reached)
  }

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

  /** The shares of the variance that people ask for. */
  val Shares: Seq[Double] = Seq(0.90, 0.95, 0.99)
}
