package sightline.report

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.schedule.{DriverPython, Interpreter, Preflight}

/**
 * The report of a run, `report.html`, which Python writes on the driver.
 *
 * @param thumbnails whether the report shows the images
 */
final case class RunPage(thumbnails: Boolean) {

  /**
   * Checks, before the run, that the driver has the packages for the report.
   *
   * @throws sightline.SightlineException MISSING_PACKAGE
   */
  def check(spark: SparkSession): Unit =
    Preflight.requirePackages(
      Interpreter.ofDriver(spark.sparkContext.getConf),
      spark.sparkContext.version,
      Seq("click", "jinja2", "matplotlib", "PIL", "numpy", "pyarrow", "tqdm"),
      purpose = "the report, on the driver",
      hint = "Install it there: pip install 'sightline[report]'; or omit the report by --no-report.",
    ): Unit

  /**
   * Writes `report.html` and `pca_variance.png`.
   *
   * @param folder the run's folder, with `run.json` and `sample/`
   * @return a message about images that cannot be shown; None if there are none
   */
  def write(spark: SparkSession, folder: Path, hadoop: Configuration): Option[String] =
    LocalRun(folder, hadoop, Seq("run.json", "sample"), Seq("report.html", "pca_variance.png")) {
      local =>
        // --any-image: the user of this run selected its images.
        val words =
          Seq("report", local, "--any-image") ++ Option.when(!thumbnails)("--no-thumbnails")
        DriverPython
          .command(Interpreter.ofDriver(spark.sparkContext.getConf), words)
          .linesIterator
          .find(_.startsWith("unreadable"))
    }
}
