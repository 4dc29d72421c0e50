package sightline.train

import org.apache.spark.unsafe.types.UTF8String

import sightline.SightlineException

/** The classes of a training run, from the labels of its images. `class_names` in Python is alike. */
object ClassNames {

  /** The order of Python's texts, which Java's differs from beyond the Basic Multilingual Plane. */
  private val ByCodePoint: Ordering[String] =
    Ordering.fromLessThan((a, b) =>
      UTF8String.fromString(a).compareTo(UTF8String.fromString(b)) < 0
    )

  /**
   * The label of each class. Without names, the labels are sorted.
   *
   * @param found the labels of the images, at least one
   * @param classes the number of classes that the user expects; None: any
   * @param named the labels in the order of the class ids
   * @throws SightlineException CLASSES_DIFFER if there is another number of labels, a label without a
   *   class, or fewer than two classes; CLASS_WITHOUT_IMAGES
   */
  def of(found: Seq[String], classes: Option[Int], named: Option[Seq[String]]): Seq[String] = {
    val sorted = found.distinct.sorted(ByCodePoint)
    named.foreach { names =>
      val unknown = sorted.filterNot(names.toSet)
      if (unknown.nonEmpty) {
        throw differ(
          s"${some(unknown)} is no class: --class-names has ${names.size} others. Add it there, or " +
            "leave its images out."
        )
      }
      val empty = names.filterNot(sorted.toSet)
      if (empty.nonEmpty) throw withoutImages(empty)
    }
    val labels = named.getOrElse(sorted)
    classes.filter(_ != labels.size).foreach { expected =>
      throw differ(
        s"--classes is $expected, and the images have ${labels.size} labels: ${some(labels, 10)}."
      )
    }
    if (labels.size < 2) {
      throw differ(
        s"the images have one label, '${labels.head}', and a classifier needs at least two. By " +
          "default the label is the name of the image's folder."
      )
    }
    labels
  }

  /** The error CLASS_WITHOUT_IMAGES. */
  def withoutImages(labels: Seq[String]): SightlineException = SightlineException(
    "CLASS_WITHOUT_IMAGES",
    "detail" -> (s"${some(labels)} ${if (labels.size == 1) "has" else "have"} no image in the " +
      "training part. Add images, or remove the class."),
  )

  private def differ(detail: String): SightlineException =
    SightlineException("CLASSES_DIFFER", "detail" -> detail)

  private def some(labels: Seq[String], most: Int = 3): String = {
    val text = labels.take(most).map(label => s"'$label'").mkString(", ")
    if (labels.size <= most) text else s"$text and ${labels.size - most} more"
  }
}
