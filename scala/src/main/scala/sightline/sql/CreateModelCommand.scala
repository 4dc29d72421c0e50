package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference}
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{IntegerType, StringType}
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException
import sightline.model.ModelRegistry
import sightline.schedule.GoldenBatch

/** `CREATE MODEL`: copies a bundle under the models root, once it has given its golden numbers. */
final case class CreateModelCommand(
    name: String,
    source: String,
    comment: Option[String],
    options: Map[String, String],
    replaces: Boolean,
    ifNotExists: Boolean,
) extends LeafRunnableCommand {

  override val output: Seq[Attribute] = Seq(
    AttributeReference("model", StringType, nullable = false)(),
    AttributeReference("version", IntegerType, nullable = false)(),
    AttributeReference("sha256", StringType, nullable = false)(),
  )

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed {
    if (replaces && ifNotExists) {
      throw SightlineException.wrongUse(
        "WRONG_STATEMENT",
        "OR REPLACE and IF NOT EXISTS cannot stand together. Choose one.",
      )
    }
    val registry = SessionModels.registry(spark)
    val there = registry.versions(name).lastOption
    there.filter(_ => !replaces) match {
      case Some(version) if ifNotExists => Seq(Row(name, version.number, version.sha256))
      case Some(_) => throw ModelRegistry.exists(name)
      case None =>
        // Another may have made it meanwhile.
        try Seq(create(spark, registry))
        catch {
          case error: SightlineException if ifNotExists && error.code == "MODEL_EXISTS" =>
            registry.versions(name).lastOption.map(v => Row(name, v.number, v.sha256)).toSeq
        }
    }
  }

  private def create(spark: SparkSession, registry: ModelRegistry): Row = {
    val bundle = SessionModels.find(spark, source).bundle
    val settings = CallOptions.parse(options, SessionModels.settings(spark))
    bundle.requirePrecision(settings.backend, settings.precision, settings.decoder): Unit
    GoldenBatch.check(spark, bundle, settings.allowCode)
    val version = registry.create(name, bundle, source, comment, options, replaces)
    Row(name, version.number, version.sha256)
  }
}
