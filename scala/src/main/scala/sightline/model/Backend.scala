package sightline.model

/**
 * A runtime that the workers can use to run a model.
 *
 * @param name the value of the option `backend`
 * @param variant the variant of a bundle that the backend runs, such as `onnx`
 * @param precisions the precisions that the backend supports, fp32 first
 * @param runtime the import name of the required package
 */
final case class Backend(name: String, variant: String, precisions: Seq[String], runtime: String)

object Backend {

  /** All precisions, from the most to the least precise. */
  val Precisions: Seq[String] = Seq("fp32", "bf16", "int8")

  /**
   * The built-in backends; the list must be equal to the one in `sightline.backends.registry`. Packages in
   * the workers' interpreter can add more: see [[sightline.schedule.Preflight.backends]].
   */
  val all: Seq[Backend] = Seq(
    Backend("onnx", "onnx", Seq("fp32", "int8"), "onnxruntime"),
    Backend("pytorch", "pytorch", Seq("fp32", "bf16"), "torch"),
    Backend("openvino", "onnx", Precisions, "openvino"),
    Backend("python", "python", Seq("fp32"), "numpy"),
  )

  /** The built-in backend of that name; None if there is none. */
  def find(name: String): Option[Backend] = all.find(_.name == name)
}
