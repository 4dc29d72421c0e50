package sightline.model

/**
 * A combination of backend and precision in which a model runs: `openvino bf16`.
 *
 * @param backend the name of a backend
 * @param precision one of [[Backend.Precisions]]
 */
final case class CalibratedMode(backend: String, precision: String) {

  override def toString: String = s"$backend $precision"

  /** Whether the mode needs no calibration, because it is the reference of all calibrations. */
  def isReference: Boolean = precision == "fp32"
}
