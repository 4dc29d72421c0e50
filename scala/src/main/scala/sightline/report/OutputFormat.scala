package sightline.report

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SaveMode.Append
import org.apache.spark.sql.functions.{base64, col, from_json, struct, to_json, when}
import org.apache.spark.sql.sightline.ParquetFooter
import org.apache.spark.sql.types.*
import org.apache.spark.sql.{Column, DataFrame, DataFrameWriter, Row, SparkSession}

import sightline.source.{Columns, FileFilter}
import sightline.{ObjectStore, OptionValue}

/** A file format of predictions. Reading gives the columns that were written. */
sealed abstract class OutputFormat(val name: String) {

  /** Appends the rows to those in the folder, which is fully qualified. */
  def write(rows: DataFrame, folder: String): Unit
  def read(spark: SparkSession, folder: String): DataFrame

  /** The number of rows in the folder. */
  def count(spark: SparkSession, folder: String): Long = read(spark, folder).count()
}

object OutputFormat {

  case object Parquet extends OutputFormat("parquet") {
    override def write(rows: DataFrame, folder: String): Unit =
      appended(rows, folder).parquet(folder)
    override def read(spark: SparkSession, folder: String): DataFrame = spark.read.parquet(folder)

    override def count(spark: SparkSession, folder: String): Long = {
      val (path, hadoop) = (new Path(folder), spark.sessionState.newHadoopConf())
      val all = path.getFileSystem(hadoop).listStatus(path).toSeq
      val files = all.filterNot(file => FileFilter.isHidden(file.getPath.getName))
      ParquetFooter
        .size(files, hadoop)
        .fold(super.count(spark, folder))(_.rows)
    }
  }

  case object Json extends OutputFormat("json") {
    override def write(rows: DataFrame, folder: String): Unit =
      appended(rows, folder).option("ignoreNullFields", "false").json(folder)

    override def read(spark: SparkSession, folder: String): DataFrame = {
      val found = spark.read.json(folder)
      val others = found.schema.filterNot(field => KnownTypes.fieldNames.contains(field.name))
      val names = found.columns.toSet
      // Other JSON files keep their own columns, so that an error message can name them.
      if (names.nonEmpty && !Wanted.forall(names)) found
      // Without a schema, files without rows have no columns, and columns of nulls no type.
      else spark.read.schema(StructType(others ++ KnownTypes)).json(folder)
    }
  }

  /** Has a column for each field of `prediction` and `error`; other nested values are JSON. */
  case object Csv extends OutputFormat("csv") {
    private val Options = Map(
      "header" -> "true",
      "escape" -> "\"",
      "multiLine" -> "true",
      // Without these options Spark would trim a path that starts or ends with a space.
      "ignoreLeadingWhiteSpace" -> "false",
      "ignoreTrailingWhiteSpace" -> "false",
    )

    override def write(rows: DataFrame, folder: String): Unit =
      appended(flatten(rows), folder).options(Options).csv(folder)

    override def read(spark: SparkSession, folder: String): DataFrame = {
      val flat = spark.read.options(Options).csv(folder)
      val others = flat.columns.toSeq.filterNot(Columns.Flat).map {
        case Columns.LabelId => col(Columns.LabelId).cast("int").as(Columns.LabelId)
        case name => Columns.quoted(name)
      }
      val prediction = Columns.PredictionType.map { field =>
        val text = col(s"${Columns.Prediction}_${field.name}")
        val value =
          if (field.name == "top_k") from_json(text, field.dataType, Map.empty[String, String])
          else text.cast(field.dataType)
        value.as(field.name)
      }
      val error = Columns.ErrorType.map(field => col(s"error_${field.name}").as(field.name))
      flat.select(
        others :+
          when(col("prediction_score").isNotNull, struct(prediction: _*)).as(Columns.Prediction) :+
          when(col("error_code").isNotNull, struct(error: _*)).as(Columns.Error): _*
      )
    }

    private def flatten(rows: DataFrame): DataFrame =
      rows.select(rows.columns.toSeq.flatMap {
        case Columns.Prediction =>
          Columns.PredictionType.map { field =>
            val value = col(Columns.Prediction).getField(field.name)
            val flat = if (field.name == "top_k") to_json(value) else value
            flat.as(s"${Columns.Prediction}_${field.name}")
          }
        case Columns.Error =>
          Columns.ErrorType.map { field =>
            col(Columns.Error).getField(field.name).as(s"${Columns.Error}_${field.name}")
          }
        case other => Seq(text(other, rows.schema(other).dataType))
      }: _*)

    /** Lists, maps and structs as JSON, bytes as base64; other types unchanged. */
    private def text(name: String, dataType: DataType): Column = dataType match {
      case _: ArrayType | _: MapType | _: StructType | VariantType =>
        to_json(Columns.quoted(name)).as(name)
      case BinaryType => base64(Columns.quoted(name)).as(name)
      case _: DayTimeIntervalType | _: YearMonthIntervalType | NullType =>
        Columns.quoted(name).cast("string").as(name)
      case _ => Columns.quoted(name)
    }
  }

  private def appended(rows: DataFrame, folder: String): DataFrameWriter[Row] =
    rows.write
      .mode(Append)
      .options(
        ObjectStore.writeOptions(folder, rows.sparkSession.sessionState.newHadoopConf())
      )

  private val KnownTypes = new StructType()
    .add(Columns.Path, "string")
    .add(Columns.Label, "string")
    .add(Columns.LabelId, "int")
    .add(Columns.Prediction, Columns.PredictionType)
    .add(Columns.Error, Columns.ErrorType)

  private val Wanted = Seq(Columns.Path, Columns.Prediction, Columns.Error)

  private val all = Seq(Parquet, Csv, Json)
  private val byName = all.map(format => format.name -> format).toMap[String, OutputFormat]

  /** @throws sightline.SightlineException UNKNOWN_FORMAT */
  def parse(name: String): OutputFormat =
    byName(OptionValue.oneOf("UNKNOWN_FORMAT", "--format", name, all.map(_.name)))
}
