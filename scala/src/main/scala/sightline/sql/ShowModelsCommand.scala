package sightline.sql

import org.apache.spark.sql.sightline.{SqlLexer, Statement}
import org.apache.spark.sql.types.{IntegerType, StringType, StructType}
import org.apache.spark.sql.{Row, SparkSession}

import sightline.model.ListedModel
import sightline.plan.SessionModels

/**
 * `SHOW MODELS`: lists all models that a query can name, with and without versions. It opens no
 * model. A model whose description cannot be read has an `error`.
 */
final case class ShowModelsCommand(pattern: Option[String]) extends Statement {

  override def columns: StructType = new StructType()
    .add("model", StringType, nullable = false)
    .add("version", IntegerType)
    .add("task", StringType)
    .add("classes", IntegerType)
    .add("backends", StringType)
    .add("error", StringType)

  override def run(spark: SparkSession): Seq[Row] =
    SessionModels
      .catalog(spark)
      .list(name => pattern.forall(SqlLexer.isLike(name, _)))
      .map(row)

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
