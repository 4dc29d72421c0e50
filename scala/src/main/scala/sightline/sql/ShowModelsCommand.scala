package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference}
import org.apache.spark.sql.catalyst.util.StringUtils
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{IntegerType, StringType}
import org.apache.spark.sql.{Row, SparkSession}

import sightline.model.ListedModel
import sightline.plan.SessionModels

/**
 * `SHOW MODELS`: lists all models that a query can name, with and without versions. It opens no
 * model. A model whose description cannot be read has an `error`.
 */
final case class ShowModelsCommand(pattern: Option[String]) extends LeafRunnableCommand {

  override val output: Seq[Attribute] = Seq(
    AttributeReference("model", StringType, nullable = false)(),
    AttributeReference("version", IntegerType)(),
    AttributeReference("task", StringType)(),
    AttributeReference("classes", IntegerType)(),
    AttributeReference("backends", StringType)(),
    AttributeReference("error", StringType)(),
  )

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed {
    SessionModels
      .catalog(spark)
      .list(name => pattern.forall(StringUtils.filterPattern(Seq(name), _).nonEmpty))
      .map(row)
  }

  private def row(model: ListedModel): Row = {
    val version = model.version.map(Int.box).orNull
    val none = None.orNull
    model.about.fold(
      error => Row(model.name, version, none, none, none, error.getMessage),
      about =>
        Row(model.name, version, about.task, about.classes, about.backends.mkString(", "), none),
    )
  }
}
