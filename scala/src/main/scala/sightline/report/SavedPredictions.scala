package sightline.report

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkException
import org.apache.spark.sql.types.{ArrayType, DataType, NumericType, StructType}
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}
import org.json4s.{JString, jvalue2monadic}

import sightline.SightlineException
import sightline.source.{Columns, ExistingPath}

/** Reads the output of `predict` in any of its formats. */
object SavedPredictions {

  /**
   * Reads predictions.
   *
   * @param folder the `--output` of `predict`
   * @param format the format; None: that of the run's record, else Parquet
   * @throws SightlineException PATH_NOT_FOUND, UNKNOWN_FORMAT or NOT_PREDICTIONS
   */
  def read(spark: SparkSession, folder: String, format: Option[String]): DataFrame = {
    ExistingPath.require(spark, folder, "Give the --output of a `predict` run.")
    val hadoop = spark.sessionState.newHadoopConf()
    val record = RunRecord.read(new Path(folder, RunRecord.InDataFolder), hadoop)
    val recorded = Option(record \ "format").collect { case JString(name) => name }
    val chosen = OutputFormat.parse(format.orElse(recorded).getOrElse(OutputFormat.Parquet.name))
    val rows =
      try chosen.read(spark, folder)
      catch {
        case _: AnalysisException | _: SparkException =>
          throw notPredictions(folder, s"it has no predictions in ${chosen.name}")
      }
    missing(rows.schema).foreach(why => throw notPredictions(folder, why))
    rows
  }

  /** The reason why rows of this schema are not predictions; None if they are. */
  private def missing(schema: StructType): Option[String] = {
    val wanted = new StructType()
      .add(Columns.Path, "string")
      .add(Columns.Prediction, Columns.PredictionType)
      .add(Columns.Error, Columns.ErrorType)
    val lacking = wanted.fieldNames.toSeq.filterNot(schema.fieldNames.contains)
    // Nullability and additional fields do not matter, because other programs may write predictions.
    val wrong = wanted.filterNot { field =>
      (field.dataType, schema.find(_.name == field.name).map(_.dataType)) match {
        case (all: StructType, Some(found: StructType)) =>
          all.forall(one =>
            found.exists(f => f.name == one.name && sameKind(f.dataType, one.dataType))
          )
        case (one, found) => found.forall(sameKind(_, one))
      }
    }
    if (lacking.nonEmpty) Some(s"it has no column ${lacking.mkString(", ")}")
    else wrong.headOption.map(field => s"its column ${field.name} is not ${field.dataType.sql}")
  }

  private def sameKind(found: DataType, wanted: DataType): Boolean = (found, wanted) match {
    case (_: NumericType, _: NumericType) => true
    case (_: ArrayType, _: ArrayType) => true
    case _ => found == wanted
  }

  private def notPredictions(folder: String, why: String): SightlineException =
    SightlineException("NOT_PREDICTIONS", "folder" -> folder, "reason" -> why)
}
