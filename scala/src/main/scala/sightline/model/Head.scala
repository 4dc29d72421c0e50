package sightline.model

/**
 * The conversion of an output tensor to a column value.
 *
 * @param kind the name in `model.json` of format 2
 * @param role the name in `model.json` of format 1, and in DESCRIBE MODEL
 */
sealed abstract class Head(val kind: String, val role: String)

object Head {

  /**
   * Scores of classes, floats `[n, classes]`.
   *
   * @param labels the file in the bundle with the class labels, one label per line
   */
  final case class Classes(labels: String) extends Head(Classes.Kind, "scores")

  object Classes {
    val Kind = "classes"
  }

  /** Features, floats `[n, length]`. */
  case object Vector extends Head("vector", "features")

  /** Numbers of any rank, as nested arrays. Axes may be free. */
  case object Tensor extends Head("tensor", "tensor")

  val Kinds: Seq[String] = Seq(Classes.Kind, Vector.kind, Tensor.kind)
}
