package sightline.sql

import org.apache.spark.sql.sightline.Statement
import org.apache.spark.sql.types.{IntegerType, StringType, StructType}
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException
import sightline.model.{ModelRegistry, ModelVersion, VersionFile}
import sightline.plan.{CallOptions, SessionModels}
import sightline.schedule.{GoldenBatch, Inference, Interpreter}

/** `CREATE MODEL`: verifies a bundle with its golden batch and copies it to the models root. */
final case class CreateModelCommand(
    name: String,
    source: String,
    comment: Option[String],
    options: Map[String, String],
    replaces: Boolean,
    ifNotExists: Boolean,
) extends Statement {

  override def columns: StructType = new StructType()
    .add("model", StringType, nullable = false)
    .add("version", IntegerType, nullable = false)
    .add("sha256", StringType, nullable = false)

  override def run(spark: SparkSession): Seq[Row] = {
    if (replaces && ifNotExists) {
      throw SightlineException(
        "WRONG_STATEMENT",
        "reason" -> "OR REPLACE and IF NOT EXISTS exclude each other. Use one of them.",
      )
    }
    val registry = SessionModels.registry(spark)
    registry.prepare(name)
    existing(registry).filter(_ => !replaces) match {
      case Some(row) if ifNotExists => Seq(row)
      case Some(row) => throw ModelRegistry.exists(row.getString(0))
      case None =>
        // Another session may have created the model in the meantime.
        try Seq(create(spark, registry))
        catch {
          case error: SightlineException if ifNotExists && error.code == "MODEL_EXISTS" =>
            existing(registry).toSeq
        }
    }
  }

  private def existing(registry: ModelRegistry): Option[Row] =
    registry.versions(name).lastOption.flatMap { file =>
      if (ifNotExists) registry.read(file).map(row(file, _))
      // The existing version's file may be broken, and CREATE OR REPLACE must be able to repair it.
      else Some(Row(file.name))
    }

  private def create(spark: SparkSession, registry: ModelRegistry): Row = {
    val bundle = SessionModels.find(spark, source).bundle
    val call = CallOptions.parse(options, SessionModels.defaults(spark))
    Inference(bundle, call.settings, call.images)
      .requireMode(Interpreter.ofDriver(spark.sparkContext.getConf))
    GoldenBatch.check(spark, bundle, call.settings.allowCode)
    val (file, version) = registry.create(name, bundle, source, comment, options, replaces)
    row(file, version)
  }

  private def row(file: VersionFile, version: ModelVersion): Row =
    Row(file.name, file.number, version.sha256)
}
