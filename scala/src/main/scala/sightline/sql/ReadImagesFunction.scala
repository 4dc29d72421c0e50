package sightline.sql

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import sightline.plan.{FunctionArguments, TableFunction}
import sightline.source.{AllowedRoots, FolderScanOptions, ImageListing}

/** `read_images(location[, …])`: returns the files of a folder or glob as a table. */
object ReadImagesFunction extends TableFunction {

  override val name = "read_images"

  override protected def usage: String =
    """_FUNC_(location[, labels[, limit[, max_image_bytes[, include[, exclude]]]]]) - Lists a folder (recursively) or a glob.
      |  Returns a row for each file: path, relative_path, length, modification_time, content or error,
      |  and label. `labels` is 'auto' (the name of the subfolder), 'folder' or 'none'. `limit` is the
      |  maximum number of files. A file of more than `max_image_bytes` bytes gives the error TOO_LARGE.
      |  `include` and `exclude` are patterns of names, such as '*.jpg,*.png'. By default a folder
      |  includes the files with an image suffix; '*' includes every file.
      |  Only a query that uses content or error opens files.""".stripMargin

  // The names of the arguments, and the names of the data source's options for them.
  private val options =
    Seq(
      "labels" -> "labels",
      "limit" -> "limit",
      "max_image_bytes" -> "maxImageBytes",
      "include" -> "include",
      "exclude" -> "exclude",
    )

  override protected val parameters: Seq[String] = "location" +: options.map(_._1)
  override protected val required = 1

  override protected def build(arguments: FunctionArguments): Call = {
    val location = arguments.literalText("location")
    val set = options.flatMap { case (argument, option) =>
      arguments.optionalLiteral(argument).map(option -> _)
    }.toMap
    val spark = SparkSession.active
    // Wrong arguments are reported here, and not later when the query is planned.
    FolderScanOptions.parse(new CaseInsensitiveStringMap((set + ("path" -> location)).asJava)): Unit
    ImageListing.check(location, spark.sessionState.newHadoopConf(), AllowedRoots.of(spark)): Unit
    spark.read.format("sightline").options(set).load(location).queryExecution.analyzed
  }
}
