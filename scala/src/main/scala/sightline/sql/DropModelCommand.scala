package sightline.sql

import org.apache.spark.sql.sightline.Statement
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException
import sightline.plan.SessionModels

/** `DROP MODEL`: removes the files that CREATE MODEL wrote for a model, and nothing else. */
final case class DropModelCommand(name: String, ifExists: Boolean) extends Statement {

  override def columns: StructType = new StructType()

  override def run(spark: SparkSession): Seq[Row] = {
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
