package sightline.model

/**
 * What a name stands for.
 *
 * @param version of the models root; None for a bundle that lies there as a folder or zip, or
 *   elsewhere
 * @param options how CREATE MODEL said that it runs
 */
final case class FoundModel(
    bundle: Bundle,
    version: Option[Int] = None,
    options: Map[String, String] = Map.empty,
)
