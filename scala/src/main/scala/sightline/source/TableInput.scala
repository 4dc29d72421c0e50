package sightline.source

import java.util.Locale

import org.apache.spark.sql.functions.{
  coalesce,
  col,
  concat_ws,
  count,
  lit,
  min,
  nullif,
  regexp_extract,
  struct,
  when,
}
import org.apache.spark.sql.sightline.Expressions
import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/** The images of a table: their bytes, where it has a column of them, else the files it names. */
private[source] object TableInput {

  /** @throws SightlineException PATH_NOT_FOUND, BAD_TABLE, UNKNOWN_COLUMN or INVALID_LABEL_ID */
  def open(spark: SparkSession, request: ImageRequest): ImageInput = {
    val whole = ImageTableFile.read(spark, request.images)
    val rows = request.limit.fold(whole)(whole.limit)
    val columns = request.table.resolve(request.images, rows.schema)
    val count = countChecked(rows, request.images, columns.labelId)
    val root = ImageTableFile.root(spark, request.images, request.table.root)
    request.replaces.foreach {
      _.spare(whole.select(Columns.quoted(columns.path).cast("string")), root)
    }
    // A table says nothing of the images' sizes: rows stand in for bytes.
    val partitions =
      PartitionPlan.partitions(count, bytes = 0L, spark.sparkContext.defaultParallelism)
    val described = description(rows.schema, request.labels, columns, root)
    val images = columns.content.fold {
      files(spark, rows.repartition(partitions.toInt).select(described: _*), root, request)
    } { content =>
      val split = ImageTableFile.split(spark, request.images, whole.schema, partitions)
      // Bytes are shuffled only where a limit cuts a table short.
      val first = request.limit.filter(_ == count).fold(split) { limit =>
        split.limit(limit).repartition(partitions.toInt)
      }
      first.select(described ++ bytes(content, whole.schema): _*)
    }
    ImageInput(images, count)
  }

  /** The table's own columns, then path, label and class id. */
  private def description(
      schema: StructType,
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Seq[Column] = {
    // Spark takes `Label` and `label` for one name.
    val kept = schema.fieldNames.toSeq
      .filterNot(name => TableColumns.Replaced(name.toLowerCase(Locale.ROOT)))
      .filterNot(columns.content.contains)
    kept.map(Columns.quoted) ++ Seq(
      Columns.quoted(columns.path).cast("string").as(Columns.Path),
      nullif(labelOf(labels, columns, root).cast("string"), lit("")).as(Columns.Label),
      columns.labelId
        .filter(_ => labels == FolderLabels.Auto)
        .fold(lit(None.orNull))(Columns.quoted)
        .cast("int")
        .as(Columns.LabelId),
    )
  }

  private def files(
      spark: SparkSession,
      described: DataFrame,
      root: String,
      request: ImageRequest,
  ): DataFrame = {
    // A row without a path is a file that is not found, not an empty one.
    val read = Expressions.mapped(coalesce(Columns.quoted(Columns.Path), lit(""))) {
      ReadImage(spark, _, root, request.maxImageBytes)
    }
    described
      .withColumn(Columns.WorkerContent, read)
      .select(
        col("*"),
        col(Columns.WorkerContent).getField("error").as(Columns.WorkerError),
      )
      .withColumn(Columns.WorkerContent, col(Columns.WorkerContent).getField("content"))
  }

  /** The bytes, and why there are none where the table says so; the worker knows of the others. */
  private def bytes(content: String, schema: StructType): Seq[Column] = {
    val fields = Columns.ErrorType.fieldNames.toSeq
    val told = schema.find(_.name == Columns.Error).map(_.dataType).collect {
      case error: StructType if texts(error).toSet == fields.toSet =>
        val same = struct(fields.map(f => Columns.quoted(Columns.Error).getField(f).as(f)): _*)
        when(Columns.quoted(content).isNull && Columns.quoted(Columns.Error).isNotNull, same)
    }
    Seq(
      Columns.quoted(content).as(Columns.WorkerContent),
      told.getOrElse(lit(None.orNull)).cast(Columns.ErrorType).as(Columns.WorkerError),
    )
  }

  private def texts(struct: StructType): Seq[String] =
    struct.filter(_.dataType == StringType).map(_.name)

  private def labelOf(
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Column = {
    val path = Columns.quoted(columns.path).cast("string")
    val whole =
      when(path.rlike(s"^(/|${ReadImage.Uri})"), path)
        .otherwise(concat_ws("/", lit(root), path))
    labels match {
      case FolderLabels.Auto => columns.label.fold(lit(None.orNull))(Columns.quoted)
      case FolderLabels.Folder =>
        regexp_extract(whole, "([^/]+)/+[^/]+$", 1)
      case FolderLabels.Absent => lit(None.orNull)
    }
  }

  /** How many rows; a class id that is no number stops the run here rather than in a task. */
  private def countChecked(rows: DataFrame, table: String, labelId: Option[String]): Long = {
    val id = labelId.fold(lit(None.orNull))(Columns.quoted)
    val wrong = when(id.isNotNull && id.try_cast("int").isNull, id.cast("string"))
    val found = rows.agg(count(lit(1)), min(wrong)).head()
    Option(found.getString(1)).foreach { value =>
      throw SightlineException(
        "INVALID_LABEL_ID",
        "table" -> table,
        "value" -> value,
        "column" -> labelId.mkString,
      )
    }
    found.getLong(0)
  }
}
