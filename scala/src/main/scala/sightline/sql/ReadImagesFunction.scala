package sightline.sql

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import sightline.source.{AllowedRoots, FolderScanOptions, ImageListing}

/** `read_images(location[, …])`: gives the files of a folder or glob as a table. */
object ReadImagesFunction {

  val Name = "read_images"

  private val usage =
    """_FUNC_(location[, labels[, limit[, max_image_bytes[, include[, exclude]]]]]) - Lists a folder (recursively) or a glob.
      |  A row for each file: path, relative_path, length, modification_time, content or error, and
      |  label. `labels` is 'auto' (the name of a subfolder), 'folder' or 'none'; `limit` lists at
      |  most so many files; larger files than `max_image_bytes` give the error TOO_LARGE.
      |  `include` and `exclude` are patterns of names, such as '*.jpg,*.png'; by default a folder gives
      |  the files with the ending of an image, and '*' is every file.
      |  Only a query that asks for content or error opens a file.""".stripMargin

  // The names of the arguments, and the names of the data source's options for them.
  private val options =
    Seq(
      "labels" -> "labels",
      "limit" -> "limit",
      "max_image_bytes" -> "maxImageBytes",
      "include" -> "include",
      "exclude" -> "exclude",
    )

  /**
   * The function for the session extensions. It must be the same object each time; Spark warns
   * otherwise.
   */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => LogicalPlan) =
    Description(this, Name, usage, "table_funcs")(build)

  private def build(expressions: Seq[Expression]): LogicalPlan = {
    val arguments = FunctionArguments(Name, "location" +: options.map(_._1), 1, expressions)
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
