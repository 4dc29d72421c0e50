package sightline.model

/**
 * The model that a name or path refers to.
 *
 * @param version the version that CREATE MODEL made; None for other bundles
 * @param options the OPTIONS of CREATE MODEL
 */
final case class FoundModel(
    bundle: Bundle,
    version: Option[Int] = None,
    options: Map[String, String] = Map.empty,
)
