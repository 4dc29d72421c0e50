package sightline.source

/**
 * What a listing found.
 *
 * @param files in the order of their paths
 * @param leftOut how many files its filter left out, by their endings: of the folder, without those
 *   whose names are hidden
 * @param outputs folders that were passed over, for they hold what a run has written
 */
final case class ListedImages(
    files: IndexedSeq[ImageFile],
    leftOut: Map[String, Long],
    outputs: Seq[String],
) {

  /** A sentence on what was left out; None where nothing was. */
  def told(filter: FileFilter): Option[String] = {
    val byDefault = filter.include.isEmpty && filter.glob.isEmpty
    val names = Option.when(leftOut.nonEmpty) {
      val why =
        if (byDefault) "without the ending of an image; --include '*' takes every file"
        else "by --include or --exclude"
      val number = leftOut.values.sum
      s"$number file${if (number == 1) "" else "s"} left out ($kinds), $why."
    }
    val folders = Option.when(outputs.nonEmpty) {
      s"Passed over, for runs have written them: ${outputs.mkString(", ")}."
    }
    Option.when(names.isDefined || folders.isDefined)((names ++ folders).mkString(" "))
  }

  private def kinds: String = {
    val most = leftOut.toSeq.sortBy { case (ending, n) => (-n, ending) }
    val shown = most.take(ListedImages.KindsTold).map {
      case ("", n) => s"$n without an ending"
      case (ending, n) => s"$n .$ending"
    }
    (shown ++ Option.when(most.size > shown.size)("…")).mkString(", ")
  }
}

object ListedImages {
  private val KindsTold = 5
}
