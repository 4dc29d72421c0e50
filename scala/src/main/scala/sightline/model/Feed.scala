package sightline.model

/**
 * The conversion of column values to an input tensor.
 *
 * @param kind the name in `model.json`
 */
sealed abstract class Feed(val kind: String)

object Feed {

  /** Encoded bytes of an image, decoded and resized to uint8 `[n, height, width, 3]`. */
  case object Image extends Feed("image")

  /** Numbers: a scalar, an array or ML vector, or nested arrays of the tensor's rank. */
  case object Tensor extends Feed("tensor")

  val All: Seq[Feed] = Seq(Image, Tensor)
}
