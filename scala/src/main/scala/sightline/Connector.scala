package sightline

import scala.util.Try

/**
 * A Hadoop connector of an object store, which Spark does not include.
 *
 * @param name the value of `--cloud`
 * @param schemes the schemes of its URIs
 * @param classes classes that must be on the class path: the file system, and what it needs
 * @param line the option of spark-submit that adds the tested version
 */
sealed abstract class Connector(
    val name: String,
    val schemes: Set[String],
    classes: Seq[String],
    val line: String,
) {

  /** @throws SightlineException MISSING_CONNECTOR */
  def require(): Unit =
    classes.find(name => Try(Connector.load(name)).isFailure).foreach(_ => throw missing)

  /** The error MISSING_CONNECTOR. */
  def missing: SightlineException = SightlineException(
    "MISSING_CONNECTOR",
    "scheme" -> schemes.toSeq.sorted.map(_ + "://").mkString(" and "),
    "line" -> line,
  )
}

object Connector {

  private val SdkVersion = "2.29.52"

  case object Gcs
      extends Connector(
        "gcs",
        Set("gs"),
        Seq("com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem"),
        // --packages cannot name the shaded jar, and the other one has another Guava than Spark.
        "--jars gcs-connector-4.0.4-shaded.jar, which this fetches: mvn dependency:copy " +
          "-Dartifact=com.google.cloud.bigdataoss:gcs-connector:4.0.4:jar:shaded -DoutputDirectory=.",
      )

  case object S3
      extends Connector(
        "s3",
        Set("s3a"),
        Seq(
          "org.apache.hadoop.fs.s3a.S3AFileSystem",
          "software.amazon.awssdk.services.s3.S3Client",
          "software.amazon.awssdk.transfer.s3.S3TransferManager",
          "software.amazon.awssdk.services.sts.StsClient",
        ),
        // The modules that the connector uses have 15 MB; the SDK's bundle, which it asks for, has 600.
        "--packages org.apache.hadoop:hadoop-aws:3.4.2," +
          Seq("s3", "s3-transfer-manager", "sts")
            .map(module => s"software.amazon.awssdk:$module:$SdkVersion")
            .mkString(",") +
          " --exclude-packages software.amazon.awssdk:bundle",
      )

  val all: Seq[Connector] = Seq(Gcs, S3)

  /** The connector of a URI's scheme; None if Sightline knows none. */
  def ofScheme(scheme: String): Option[Connector] = all.find(_.schemes.contains(scheme))

  // spark-submit adds jars to the context class loader of the main thread.
  private def load(name: String): Class[?] =
    Class.forName(name, false, Thread.currentThread.getContextClassLoader)
}
