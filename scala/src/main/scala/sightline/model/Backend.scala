package sightline.model

/**
 * A runtime of the workers.
 *
 * @param name as users write it
 * @param variant the form of a bundle that it runs
 * @param precisions what it can compute in, fp32 first
 * @param runtime import name of the package that it needs
 */
final case class Backend(name: String, variant: String, precisions: Seq[String], runtime: String)

object Backend {

  /** From the most to the least precise. */
  val Precisions: Seq[String] = Seq("fp32", "bf16", "int8")

  /**
   * The built-in backends; `sightline.backends.registry` has the same. The workers' interpreter can have
   * more, of other packages: see [[sightline.schedule.Preflight.backends]].
   */
  val all: Seq[Backend] = Seq(
    Backend("onnx", "onnx", Seq("fp32", "int8"), "onnxruntime"),
    Backend("pytorch", "pytorch", Seq("fp32", "bf16"), "torch"),
    Backend("openvino", "onnx", Precisions, "openvino"),
  )

  def find(name: String): Option[Backend] = all.find(_.name == name)
}
