package sightline.model

import sightline.SightlineException

/**
 * The description of a model in a list of models.
 *
 * @param classes the number of labels
 * @param backends the backends that can run the model
 */
final case class AboutModel(task: String, classes: Int, backends: Seq[String])

object AboutModel {
  def apply(manifest: Manifest): AboutModel =
    AboutModel(manifest.signature.task, manifest.signature.classCount, manifest.backends)
}

/**
 * A model in a list of models.
 *
 * @param version None for a bundle that CREATE MODEL did not make
 * @param about the description, or the error that every use of the model raises
 */
final case class ListedModel(
    name: String,
    version: Option[Int],
    about: Either[SightlineException, AboutModel],
)
