package sightline.report

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkException
import org.apache.spark.sql.types.{ArrayType, DataType, NumericType, StructType}
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}
import org.json4s.{JString, jvalue2monadic}

import sightline.SightlineException
import sightline.source.Columns

/** Reads what `predict` wrote, in whichever format. */
object SavedPredictions {

  /**
   * @param folder the `--output` of `predict`
   * @param format its format, when the caller says so; else what is found in the folder
   * @throws SightlineException PATH_NOT_FOUND, UNKNOWN_FORMAT or NOT_PREDICTIONS
   */
  def read(spark: SparkSession, folder: String, format: Option[String]): DataFrame = {
    val path = new Path(folder)
    val hadoop = spark.sessionState.newHadoopConf()
    if (!path.getFileSystem(hadoop).exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> folder,
        "reason" -> "does not exist",
        "hint" -> "Give the --output of a `predict` run.",
      )
    }
    val record = RunRecord.read(new Path(path, RunRecord.InDataFolder), hadoop)
    val recorded = Option(record \ "format").collect { case JString(name) => name }
    val chosen = OutputFormat.parse(format.orElse(recorded).getOrElse(OutputFormat.Parquet.name))
    val rows =
      try chosen.read(spark, folder)
      catch {
        case _: AnalysisException | _: SparkException =>
          throw notPredictions(folder, s"it holds no predictions in ${chosen.name}")
      }
    missing(rows.schema).foreach(why => throw notPredictions(folder, why))
    rows
  }

  /** Why rows of this schema are no predictions, if they are none. */
  private def missing(schema: StructType): Option[String] = {
    val wanted = new StructType()
      .add(Columns.Path, "string")
      .add(Columns.Prediction, Columns.PredictionType)
      .add(Columns.Error, Columns.ErrorType)
    val lacking = wanted.fieldNames.toSeq.filterNot(schema.fieldNames.contains)
    // Whoever wrote them, whatever is nullable, and whatever else stands in the struct.
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
    else wrong.headOption.map(field => s"its column ${field.name} is no ${field.dataType.sql}")
  }

  private def sameKind(found: DataType, wanted: DataType): Boolean = (found, wanted) match {
    case (_: NumericType, _: NumericType) => true
    case (_: ArrayType, _: ArrayType) => true
    case _ => found == wanted
  }

  private def notPredictions(folder: String, why: String): SightlineException =
    SightlineException("NOT_PREDICTIONS", "folder" -> folder, "reason" -> why)
}
