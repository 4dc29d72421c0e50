package sightline.source

/**
 * The result of a listing.
 *
 * @param files sorted by path
 * @param leftOut the number of files that the filter left out, by ending; hidden files do not count
 * @param outputs folders that were skipped because they are outputs of runs
 */
final case class ListedImages(
    files: IndexedSeq[ImageFile],
    leftOut: Map[String, Long],
    outputs: Seq[String],
) {

  /** A sentence about the files and folders that were left out; None if there are none. */
  def summary(filter: FileFilter): Option[String] = {
    val byDefault = filter.include.isEmpty && filter.glob.isEmpty
    val names = Option.when(leftOut.nonEmpty) {
      val why =
        if (byDefault) "without the ending of an image; --include '*' takes every file"
        else "by --include or --exclude"
      val number = leftOut.values.sum
      s"$number file${if (number == 1) "" else "s"} left out ($kinds), $why."
    }
    val folders = Option.when(outputs.nonEmpty) {
      s"Skipped, because they are outputs of runs: ${outputs.mkString(", ")}."
    }
    Option.when(names.isDefined || folders.isDefined)((names ++ folders).mkString(" "))
  }

  private def kinds: String = {
    val most = leftOut.toSeq.sortBy { case (ending, n) => (-n, ending) }
    val shown = most.take(ListedImages.ShownKinds).map {
      case ("", n) => s"$n without an ending"
      case (ending, n) => s"$n .$ending"
    }
    (shown ++ Option.when(most.size > shown.size)("…")).mkString(", ")
  }
}

object ListedImages {
  private val ShownKinds = 5
}
