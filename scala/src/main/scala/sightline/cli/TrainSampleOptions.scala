package sightline.cli

import mainargs.{ParserForClass, arg}

import sightline.source.FolderScanOptions

/** The options of `train` for the samples. The Python command has the same. */
@mainargs.main
final case class TrainSampleOptions(
    @arg(doc =
      "Shares of train, validation and test, drawn for each label (default 0.8/0.1/0.1); or folders: " +
        "the parts are the folders train, validation and test in the paths"
    )
    split: String = "0.8/0.1/0.1",
    @arg(doc =
      "For a table: the column whose equal values are in one part, such as the images of one patient"
    )
    groupColumn: Option[String] = None,
    @arg(doc = "Number of classes to expect; auto (default): what the labels give")
    classes: String = "auto",
    @arg(doc = "File with the labels in the order of the class ids (default: the sorted labels)")
    classNames: Option[String] = None,
    @arg(doc =
      "Maximum share of unreadable images, 0 to 1 (default 0.01); if more fail, nothing is trained"
    )
    maxErrorRate: Double = 0.01,
    @arg(doc = "Maximum bytes of a file; larger ones give the error TOO_LARGE (default 67108864)")
    maxImageBytes: Long = FolderScanOptions.MaxImageBytes,
)

object TrainSampleOptions {
  implicit val parser: ParserForClass[TrainSampleOptions] = ParserForClass[TrainSampleOptions]
}
