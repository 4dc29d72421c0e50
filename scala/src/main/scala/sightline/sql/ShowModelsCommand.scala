package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference}
import org.apache.spark.sql.catalyst.util.StringUtils
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{IntegerType, StringType}
import org.apache.spark.sql.{Row, SparkSession}

/** `SHOW MODELS`: all that a query can name, with versions and without. */
final case class ShowModelsCommand(pattern: Option[String]) extends LeafRunnableCommand {

  override val output: Seq[Attribute] = Seq(
    AttributeReference("model", StringType, nullable = false)(),
    AttributeReference("version", IntegerType)(),
    AttributeReference("task", StringType, nullable = false)(),
    AttributeReference("classes", IntegerType, nullable = false)(),
    AttributeReference("backends", StringType, nullable = false)(),
  )

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed {
    val catalog = SessionModels.catalog(spark)
    val known = catalog.known
    pattern.fold(known)(StringUtils.filterPattern(known, _)).map { name =>
      val found = catalog.find(name)
      val manifest = found.bundle.manifest
      Row(
        name,
        found.version.map(Int.box).orNull,
        manifest.task,
        manifest.classes,
        found.bundle.backends.mkString(", "),
      )
    }
  }
}
