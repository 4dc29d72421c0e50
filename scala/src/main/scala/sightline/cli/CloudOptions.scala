package sightline.cli

import java.net.URI
import java.nio.file.{Files, Paths}

import scala.util.Try

import mainargs.{ParserForClass, arg}
import org.apache.hadoop.conf.Configuration
import org.apache.spark.sql.SparkSession
import org.json4s.JObject
import org.json4s.JsonDSL.*

import sightline.{Connector, OptionValue, SightlineException}

/** The options for object stores. All commands that read or write URIs have them. */
@mainargs.main
final case class CloudOptions(
    @arg(doc = "Object store of the URIs: gcs (gs://) or s3 (s3a://); sets its Hadoop connector up")
    cloud: Option[String] = None,
    @arg(doc = "With --cloud: address of an emulator or of a store that is compatible to S3")
    endpoint: Option[String] = None,
    @arg(doc =
      "With --cloud: auto (default: what the environment and the machine provide), anonymous, " +
        "instance (the machine's role), or for gcs the key file of a service account"
    )
    credentials: Option[String] = None,
    @arg(doc = "With --cloud s3: the bucket's region, such as eu-central-1")
    region: Option[String] = None,
) {

  /**
   * Checks the options and the class path.
   *
   * @return `run` in a session with the connector's settings
   * @throws SightlineException MISSING_CONNECTOR, UNKNOWN_CLOUD, INVALID_OPTION or WRONG_ARGUMENTS
   */
  def apply(command: Command)(run: Invocation => Unit): Invocation => Unit = {
    val (chosen, settings) = checked(command)
    chosen.foreach(_.require())
    invocation => {
      CloudOptions.set(invocation.spark, settings)
      run(invocation)
    }
  }

  /** Sets the connector up in `hadoop`, to read a file before the session starts. */
  private[cli] def configure(command: Command, hadoop: Configuration): Unit =
    checked(command)._2.foreach { case (key, value) =>
      if (CloudOptions.isUnset(hadoop, key)) hadoop.set(key, value)
    }

  /** How Python reaches the store: the fields of `StoreAccess`. */
  private[cli] def access: JObject = {
    // Python finds the machine's role by itself.
    val python = credentials.filter(_ != "instance").getOrElse("auto")
    ("credentials" -> python) ~ ("endpoint" -> endpoint) ~ ("region" -> region)
  }

  private def checked(command: Command): (Option[Connector], Map[String, String]) = {
    val chosen = cloud.map { name =>
      val known = Connector.all.map(_.name)
      OptionValue.oneOf("UNKNOWN_CLOUD", "--cloud", name, known): Unit
      Connector.all.find(_.name == name).get
    }
    Seq("--endpoint" -> endpoint, "--credentials" -> credentials, "--region" -> region)
      .collectFirst { case (option, Some(_)) if chosen.isEmpty => option }
      .foreach(option => throw wrong(command, s"$option has no effect without --cloud."))
    val settings = chosen.fold(Map.empty[String, String]) {
      case Connector.Gcs => gcs(command)
      case Connector.S3 => s3
    }
    (chosen, settings)
  }

  private def gcs(command: Command): Map[String, String] = {
    region.foreach(_ => throw wrong(command, "--region has no effect with --cloud gcs."))
    val (auth, file) = credentials.getOrElse("auto") match {
      case "auto" => ("APPLICATION_DEFAULT", Map.empty[String, String])
      case "anonymous" => ("UNAUTHENTICATED", Map.empty[String, String])
      case "instance" => ("COMPUTE_ENGINE", Map.empty[String, String])
      case path =>
        requireKey(path)
        (
          "SERVICE_ACCOUNT_JSON_KEYFILE",
          Map("fs.gs.auth.service.account.json.keyfile" -> path),
        )
    }
    Map(
      "fs.gs.impl" -> "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
      "fs.AbstractFileSystem.gs.impl" -> "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
      "fs.gs.auth.type" -> auth,
    ) ++ file ++ address.toSeq.flatMap { url =>
      Seq(
        "fs.gs.storage.root.url" -> s"${url.stripSuffix("/")}/",
        // Emulators lack this request.
        "fs.gs.operation.move.enable" -> "false",
      )
    }
  }

  private def s3: Map[String, String] = {
    val provider = credentials.getOrElse("auto") match {
      case "auto" => CloudOptions.S3Providers
      case "anonymous" => "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"
      case "instance" => "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
      case other =>
        throw OptionValue.invalid(
          "--credentials",
          other,
          "It must be auto, anonymous or instance. The keys of S3 are in the environment " +
            "(AWS_ACCESS_KEY_ID) or in ~/.aws/credentials.",
        )
    }
    // An emulator has one server for all buckets, and requests to it have a region as well.
    val server = address.toSeq.flatMap { url =>
      Seq(
        "fs.s3a.endpoint" -> url,
        "fs.s3a.path.style.access" -> "true",
        "fs.s3a.endpoint.region" -> sys.env.getOrElse("AWS_REGION", "us-east-1"),
      )
    }
    Map("fs.s3a.aws.credentials.provider" -> provider) ++ server ++
      region.map("fs.s3a.endpoint.region" -> Command.nonEmpty("--region", _))
  }

  private def address: Option[String] = endpoint.map { text =>
    val isUrl = Try(new URI(text)).toOption.exists { uri =>
      Set("http", "https")(String.valueOf(uri.getScheme)) && Option(uri.getHost).isDefined
    }
    if (isUrl) text
    else
      throw OptionValue.invalid("--endpoint", text, "It must be a URL, such as http://host:9000.")
  }

  private def requireKey(path: String): Unit = {
    val isKey = Try(Files.readString(Paths.get(path))).toOption.exists { text =>
      text.contains("\"client_email\"") && text.contains("\"private_key\"")
    }
    if (!isKey) {
      throw OptionValue.invalid(
        "--credentials",
        path,
        "It must be auto, anonymous, instance, or the JSON key file of a service account.",
      )
    }
  }

  private def wrong(command: Command, reason: String): SightlineException =
    SightlineException("WRONG_ARGUMENTS", "subject" -> command.name, "reason" -> reason)
}

object CloudOptions {

  // Hadoop's own list lacks ~/.aws/credentials and the role of a Kubernetes service account.
  private val S3Providers = Seq(
    "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
    "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
  ).mkString(",")

  private val BuiltIn = Set("core-default.xml", "mapred-default.xml")

  /** Adds the settings to the session; those that the user set are kept. */
  private def set(spark: SparkSession, settings: Map[String, String]): Unit = {
    val hadoop = spark.sparkContext.hadoopConfiguration
    val own = spark.conf.getAll
    settings.foreach { case (key, value) =>
      if (isUnset(hadoop, key) && !own.contains(key)) spark.conf.set(key, value)
    }
  }

  private def isUnset(hadoop: Configuration, key: String): Boolean =
    Option(hadoop.getPropertySources(key)).toSeq.flatten.forall(BuiltIn)

  implicit val parser: ParserForClass[CloudOptions] = ParserForClass[CloudOptions]
}
