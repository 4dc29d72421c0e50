package sightline.source

import java.util.Locale

import scala.jdk.CollectionConverters.*
import scala.util.Try
import scala.util.control.NonFatal

import org.apache.hadoop.fs.Path
import org.apache.parquet.hadoop.metadata.FileMetaData
import org.apache.parquet.schema.LogicalTypeAnnotation
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation
import org.apache.spark.sql.functions.{
  concat,
  expr,
  length,
  lit,
  replace,
  substring_index,
  url_decode,
  when,
}
import org.apache.spark.sql.sightline.{FilesFrame, ParquetFooter, ParquetSize}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}
import org.json4s.jackson.JsonMethods
import org.json4s.{JArray, JNothing, JString, JValue, jvalue2monadic}

import sightline.LocalFiles

/**
 * A Parquet table: one file or a folder of part files, with the columns of the first file.
 *
 * Columns of a type that Spark does not have are left out with a warning, so that a column that the
 * run does not need does not stop it. Timestamps in nanoseconds are converted to microseconds.
 */
private[source] object ParquetTable {

  // Without this setting Spark cannot read a file that has timestamps in nanoseconds.
  private val Settings = Map("spark.sql.legacy.parquet.nanosAsLong" -> "true")

  /**
   * Settings with which Spark divides a table of images; with its default settings a few thousand
   * photographs would be one partition.
   */
  private def splitSettings(split: SplitRows): Map[String, String] = Map(
    "spark.sql.files.minPartitionNum" -> split.partitions.toString,
    "spark.sql.files.maxPartitionBytes" -> PartitionPlan.MaxBytes.toString,
    // To open a file of a table is cheap; with a higher cost a task would read too few files.
    "spark.sql.files.openCostInBytes" -> (64L << 10).toString,
    "spark.sql.parquet.columnarReaderBatchSize" -> split.readAhead.toString,
  )

  /** @throws SightlineException BAD_TABLE */
  def open(spark: SparkSession, location: String): TableFile = {
    val files = TableFile.files(spark, location, below = true)
    val at = new Path(qualified(spark, location))
    val isNested = files.exists(file => file != at && file.getParent != at) &&
      files.size > TableFile.files(spark, location, below = false).size
    refuseOutputs(spark, location, at, files)
    val hadoop = spark.sessionState.newHadoopConf()
    val footer =
      files.headOption.map(part => bad(location)(ParquetFooter.read(part, hadoop)))
    val file = footer.getOrElse(throw TableFile.bad(location, "it has no Parquet files"))
    val fields = file.getSchema.getFields.asScala.toSeq
    fields.groupBy(_.getName.toLowerCase(Locale.ROOT)).values.find(_.size > 1).foreach { same =>
      throw TableFile.bad(
        location,
        s"columns ${same.map(field => s"'${field.getName}'").mkString(" and ")} differ only in case",
      )
    }
    val (schema, leftOut) = FilesFrame.inReader(spark, Settings)(ParquetFooter.schema(_, fields))
    if (leftOut.nonEmpty) {
      System.err.println(
        s"sightline: $location: columns left out, since Spark has no type for them: " +
          leftOut.mkString(", ")
      )
    }
    val nanos = fields.flatMap { field =>
      Option(field.getLogicalTypeAnnotation).collect {
        case time: TimestampLogicalTypeAnnotation
            if time.getUnit == LogicalTypeAnnotation.TimeUnit.NANOS && field.isPrimitive =>
          field.getName -> time.isAdjustedToUTC
      }
    }.toMap
    val root = at.toString
    def frame(keyed: Boolean, settings: Map[String, String]): DataFrame =
      FilesFrame(spark, Settings ++ settings) { reader =>
        val found = reader.read
          .option(TableFile.Recursive, isNested.toString)
          .schema(schema)
          .parquet(location)
        val columns = found.columns.toSeq.map { name =>
          nanos.get(name).fold(Columns.quoted(name))(isUtc => micros(name, isUtc).as(name))
        }
        val key = Option.when(keyed)(rowKey(found, root).as(TableFile.RowKey))
        found.select(columns ++ key: _*)
      }
    def size(rows: DataFrame): Option[ParquetSize] =
      bad(location)(ParquetFooter.size(FilesFrame.files(rows), hadoop))
    def table(keyed: Boolean): TableFile = {
      val rows = frame(keyed, Map.empty)
      TableFile(
        rows = rows,
        names = rows.columns.toSeq.filterNot(_ == TableFile.RowKey),
        problem = lit(None.orNull).cast("string"),
        rowKey = Some(() => table(keyed = true)),
        classNames = classNames(file),
        size = () => if (ignoresFiles(spark)) None else size(rows),
        split = Some(split => frame(keyed, splitSettings(split))),
      )
    }
    table(keyed = false)
  }

  /** Rejects a table that contains the output of a run, whose rows are not rows of the table. */
  private def refuseOutputs(
      spark: SparkSession,
      location: String,
      table: Path,
      files: Seq[Path],
  ): Unit = {
    def above(file: Path): Iterator[Path] = Iterator
      .iterate(file.getParent)(_.getParent)
      .takeWhile(folder => Option(folder).exists(_ != table))
    // Folders of partitions are not examined, because there may be thousands.
    val folders =
      files.filter(_ != table).flatMap(above).distinct.filterNot(_.getName.contains('='))
    val fs = table.getFileSystem(spark.sessionState.newHadoopConf())
    folders.sorted.find(FolderEntry.remote(fs, _).isOutput).foreach { folder =>
      val shown = LocalFiles.shown(folder)
      throw TableFile.bad(location, s"$shown in it is the output of a run; move it elsewhere")
    }
  }

  /** Whether Spark skips files that it cannot read, so that their footers cannot tell the rows. */
  private def ignoresFiles(spark: SparkSession): Boolean =
    Seq("spark.sql.files.ignoreCorruptFiles", "spark.sql.files.ignoreMissingFiles")
      .exists(spark.conf.get(_).toBoolean)

  private def bad[A](location: String)(read: => A): A =
    try read
    catch {
      case NonFatal(error) =>
        val why = Option(error.getMessage).flatMap(_.linesIterator.nextOption())
        throw TableFile.bad(location, why.getOrElse(error.getClass.getSimpleName))
    }

  /** Nanoseconds since 1970 as a timestamp, rounded down to microseconds. */
  private def micros(name: String, isUtc: Boolean): Column = {
    val nanos = Columns.quotedName(name)
    val micros = s"(($nanos - pmod($nanos, 1000L)) div 1000L)"
    expr(
      if (isUtc) s"timestamp_micros($micros)"
      else s"timestampadd(MICROSECOND, $micros, timestamp_ntz'1970-01-01 00:00:00')"
    )
  }

  /** A key for each row: the file's path relative to the table, `#`, and the row's index from 0. */
  private def rowKey(rows: DataFrame, root: String): Column = {
    val metadata = rows.metadataColumn("_metadata")
    // Percent-encoded, but `+` is a plus sign and not a space.
    val file = url_decode(replace(metadata.getField("file_path"), lit("+"), lit("%2B")))
    val below = when(file.startsWith(s"$root/"), file.substr(lit(root.length + 2), length(file)))
      .otherwise(substring_index(file, "/", -1))
    concat(below, lit("#"), metadata.getField("row_index").cast("string"))
  }

  private def qualified(spark: SparkSession, location: String): String = {
    val path = new Path(location)
    path.getFileSystem(spark.sessionState.newHadoopConf()).makeQualified(path).toString
  }

  /** The names of a column's classes in a file of Hugging Face's datasets; none in other files. */
  private def classNames(file: FileMetaData)(column: Seq[String]): Seq[String] = {
    val text = Option(file.getKeyValueMetaData.get("huggingface"))
    val features = text
      .flatMap(json => Try(JsonMethods.parse(json)).toOption)
      .fold[JValue](JNothing)(_ \ "info" \ "features")
    column.foldLeft(features)(_ \ _) \ "names" match {
      case JArray(names) => names.collect { case JString(name) => name }
      case _ => Nil
    }
  }
}
