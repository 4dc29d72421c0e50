import sbt.*

/**
 * A version of Spark that the jar can be built for.
 *
 * @param line the minor version, such as `4.1`; a jar runs on all patch versions of it
 * @param pyspark the wheel that is compiled and tested against
 * @param scala the Scala of that wheel
 * @param sources the folder of the sources that depend on the version
 */
final case class SparkVersion(line: String, pyspark: String, scala: String, sources: String)

object SparkVersion {

  /** The version that `make setup` installs, and that all suites run on. */
  val main: SparkVersion = SparkVersion("4.1", "4.1.3", "2.13.17", "spark-4.1-4.2")

  val all: Seq[SparkVersion] =
    Seq(
      SparkVersion("4.0", "4.0.2", "2.13.16", "spark-4.0"),
      main,
      SparkVersion("4.2", "4.2.0", "2.13.18", "spark-4.1-4.2"),
    )

  /** The version of the build: that of `-Dspark.line=4.0`, else `main`. */
  val current: SparkVersion = {
    val line = sys.props.getOrElse("spark.line", main.line)
    all.find(_.line == line).getOrElse {
      sys.error(s"Spark '$line' is not supported. Known: ${all.map(_.line).mkString(", ")}.")
    }
  }

  /** The name of the jar for a version; that for `main` is the one that the documents name. */
  def jar(version: SparkVersion): String =
    if (version == main) "sightline.jar" else s"sightline_spark-${version.line}.jar"
}
