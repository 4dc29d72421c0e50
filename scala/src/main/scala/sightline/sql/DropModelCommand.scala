package sightline.sql

import scala.util.{Failure, Success, Try}

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException

/** `DROP MODEL`: removes a model and all its versions from the models root. */
final case class DropModelCommand(name: String, ifExists: Boolean) extends LeafRunnableCommand {

  override val output: Seq[Attribute] = Nil

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed {
    val registry = SessionModels.registry(spark)
    if (registry.versions(name).nonEmpty) registry.drop(name)
    else {
      Try(SessionModels.catalog(spark).find(name)) match {
        case Success(found) =>
          throw SightlineException.wrongUse(
            "MODEL_NOT_CREATED",
            s"'$name' was not made by CREATE MODEL but is a bundle of its own " +
              s"(${found.bundle.folder}). Remove its files instead.",
          )
        case Failure(unknown) => if (!ifExists) throw unknown
      }
    }
    Nil
  }
}
