package sightline.train

import sightline.source.{ImageInput, ImageRequest}

/**
 * The labelled images of a training run, and how they are divided.
 *
 * @param images the images and the source of their labels
 * @param shares the shares of the parts
 * @param groupColumn the column of a table; images with the same value are in one part
 * @param classes the number of classes that the user expects; None: any
 * @param classNames the labels in the order of the class ids; None: the images' labels, sorted
 * @param maxErrorRate the share of the images that may be unreadable, 0 to 1
 * @param frame the images of a DataFrame, with their bytes; then `images` has only their name, for
 *   errors, and the limit of their size. None: `images` is listed
 */
final case class SampleSource(
    images: ImageRequest,
    shares: SplitShares,
    groupColumn: Option[String] = None,
    classes: Option[Int] = None,
    classNames: Option[Seq[String]] = None,
    maxErrorRate: Double = 0.01,
    frame: Option[ImageInput] = None,
)
