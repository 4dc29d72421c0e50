package sightline.train

import sightline.OptionValue

/**
 * Shares of the parts of the samples. They add up to 1.
 *
 * @param train above 0
 * @param validation at least 0
 * @param test at least 0
 * @param byFolders whether the parts are named by the images' folders, or by a column `split`; then
 *   only images of `train` may move to `validation`, and only if it is empty
 */
final case class SplitShares(
    train: Double,
    validation: Double,
    test: Double,
    byFolders: Boolean = false,
)

object SplitShares {

  private val Folders = "folders"
  private val ValidationShare = 0.1

  /**
   * Reads `0.8/0.1/0.1` or `folders`.
   *
   * @throws sightline.SightlineException INVALID_OPTION
   */
  def parse(text: String): SplitShares =
    if (text == Folders) {
      SplitShares(1 - ValidationShare, ValidationShare, 0, byFolders = true)
    } else {
      text.split("/", -1).toSeq.map(_.trim.toDoubleOption) match {
        case Seq(Some(train), Some(validation), Some(test))
            if train > 0 && validation >= 0 && test >= 0 &&
              math.abs(train + validation + test - 1) <= 1e-6 =>
          SplitShares(train, validation, test)
        case _ =>
          throw OptionValue.invalid(
            "--split",
            text,
            s"It must be $Folders, or the shares of train, validation and test, which add up to 1: " +
              "0.8/0.1/0.1.",
          )
      }
    }
}
