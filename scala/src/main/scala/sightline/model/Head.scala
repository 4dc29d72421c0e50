package sightline.model

/**
 * How an output tensor becomes a column value.
 *
 * @param kind its name in `model.json`
 * @param role its name in `model.json` of format 1, and in DESCRIBE MODEL
 */
sealed abstract class Head(val kind: String, val role: String)

object Head {

  /**
   * Scores of classes, float32 `[n, classes]`.
   *
   * @param labels file in the bundle with one label a line
   */
  final case class Classes(labels: String) extends Head(Classes.Kind, "scores")

  object Classes {
    val Kind = "classes"
  }

  /** Features, float32 `[n, length]`. */
  case object Vector extends Head("vector", "features")

  /** Numbers of any rank, as nested arrays. */
  case object Tensor extends Head("tensor", "tensor")

  val Kinds: Seq[String] = Seq(Classes.Kind, Vector.kind, Tensor.kind)
}
