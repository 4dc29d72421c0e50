package sightline.model

import sightline.SightlineException

/**
 * What a list of models says of each.
 *
 * @param backends that can run it
 */
final case class AboutModel(task: String, classes: Int, backends: Seq[String])

object AboutModel {
  def apply(manifest: Manifest): AboutModel =
    AboutModel(manifest.signature.task, manifest.signature.classCount, manifest.backends)
}

/**
 * A model in a list of models.
 *
 * @param version None for a bundle that lies in a models folder without having been created
 * @param about or the error that using the model gives
 */
final case class ListedModel(
    name: String,
    version: Option[Int],
    about: Either[SightlineException, AboutModel],
)
