package sightline.report

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.schedule.{DriverPython, Interpreter, Preflight}

/**
 * The page `report.html` of a run, which Python writes on the driver.
 *
 * @param thumbnails whether it shows the images
 */
final case class RunPage(thumbnails: Boolean) {

  /**
   * Makes sure, before any work, that it can be written.
   *
   * @throws sightline.SightlineException MISSING_PACKAGE
   */
  def check(spark: SparkSession): Unit =
    Preflight.requirePackages(
      Interpreter.of(spark.sparkContext.getConf),
      spark.sparkContext.version,
      Seq("click", "matplotlib", "PIL", "numpy", "pyarrow", "tqdm"),
      purpose = "the report, on the driver",
      hint = "Install it there: pip install 'sightline[report]'; or do without by --no-report.",
    ): Unit

  /**
   * Writes `report.html` and `pca_variance.png`.
   *
   * @param folder with `run.json` and `sample/`
   * @return what there is to say of it: of images that cannot be shown
   */
  def write(spark: SparkSession, folder: Path, hadoop: Configuration): Option[String] =
    LocalRun(folder, hadoop, Seq("run.json", "sample"), Seq("report.html", "pca_variance.png")) {
      local =>
        // The same user has just named these features: no stranger has chosen their images.
        val own = Seq("report", local, "--any-image")
        val words = own ++ Option.when(!thumbnails)("--no-thumbnails")
        DriverPython
          .command(Interpreter.of(spark.sparkContext.getConf), words)
          .linesIterator
          .find(_.startsWith("unreadable"))
    }
}
