package sightline.model

/**
 * A combination of backend, precision and decoder in which a model runs: `onnx fp32 pillow`.
 *
 * @param backend the name of a backend
 * @param precision one of [[Backend.Precisions]]
 * @param decoder the JPEG decoder, `pillow` or `scaled`; `turbo` counts as `pillow`
 */
final case class CalibratedMode(backend: String, precision: String, decoder: String) {

  override def toString: String = s"$backend $precision $decoder"

  /** Whether the mode needs no calibration: it is fp32, and the decoder does not change the pixels. */
  def isExact: Boolean = precision == "fp32" && decoder != "scaled"
}
