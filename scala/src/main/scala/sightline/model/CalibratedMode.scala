package sightline.model

/** One way to run a model: `onnx fp32 pillow`. */
final case class CalibratedMode(backend: String, precision: String, decoder: String) {

  override def toString: String = s"$backend $precision $decoder"

  /** Whether the model gives its own numbers this way; `scaled` hands it other pixels. */
  def isExact: Boolean = precision == "fp32" && decoder != "scaled"
}
