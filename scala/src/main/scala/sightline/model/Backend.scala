package sightline.model

/**
 * A runtime of the workers.
 *
 * @param name as users write it
 * @param variant the form of a bundle that it runs
 * @param precisions what it can compute in, fp32 first
 */
final case class Backend(name: String, variant: String, precisions: Seq[String])

/** The runtimes; `sightline.backends.registry` holds their twins. */
object Backend {

  /** From the most to the least precise. */
  val Precisions: Seq[String] = Seq("fp32", "bf16", "int8")

  val all: Seq[Backend] = Seq(
    Backend("onnx", "onnx", Seq("fp32", "int8")),
    Backend("pytorch", "pytorch", Seq("fp32", "bf16")),
    Backend("openvino", "onnx", Precisions),
  )

  def find(name: String): Option[Backend] = all.find(_.name == name)
}
