package sightline.sql

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException
import sightline.plan.SessionModels

/** `DROP MODEL`: removes the files that CREATE MODEL wrote for a model, and nothing else. */
final case class DropModelCommand(name: String, ifExists: Boolean) extends LeafRunnableCommand {

  override val output: Seq[Attribute] = Nil

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed {
    val registry = SessionModels.registry(spark)
    if (registry.versions(name).nonEmpty) registry.drop(name)
    else {
      val catalog = SessionModels.catalog(spark)
      catalog.plain(name) match {
        case Some(folder) =>
          throw SightlineException("MODEL_NOT_CREATED", "model" -> name, "folder" -> folder)
        case None => if (!ifExists) throw catalog.unknown(name)
      }
    }
    Nil
  }
}
