package sightline.source

import org.apache.spark.sql.functions.{
  array,
  coalesce,
  col,
  concat_ws,
  count,
  get,
  lit,
  min,
  nullif,
  regexp_extract,
  struct,
  sum,
  when,
}
import org.apache.spark.sql.sightline.{Expressions, ReadImageExpression}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/** The images of a table: their bytes, where it has a column of them, else the files it names. */
private[source] object TableImages {

  /**
   * @throws SightlineException PATH_NOT_FOUND, BAD_TABLE, UNKNOWN_COLUMN, WRONG_COLUMN_TYPE or
   *   INVALID_LABEL_ID
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput = {
    val opened = TableFile.open(spark, request.images, request.table.csv)
    val columns = request.table.resolve(
      request.images,
      opened.schema,
      request.labels,
      opened.classNames,
      opened.hint,
    )
    val table = if (columns.path.isEmpty) opened.withRowKey else opened
    val rows = request.limit.fold(table.rows)(table.rows.limit)
    val checked = check(rows, request.images, table, columns.labelId)
    val root = TableFile.root(spark, request.images, request.table.root)
    for {
      replaces <- request.replaces
      path <- columns.path
    } {
      replaces.spare(table.rows.select(Columns.field(path).cast("string")), root)
    }
    val partitions = PartitionPlan.partitions(
      checked.rows,
      checked.bytes,
      spark.sparkContext.defaultParallelism,
    )
    val described = description(table, request.labels, columns, root)
    val images = columns.content.fold {
      files(spark, rows.repartition(partitions.toInt).select(described: _*), root, request)
    } { content =>
      val split = table.split.fold(table.rows)(_(partitions))
      // Bytes are shuffled only where a limit cuts a table short.
      val first = request.limit.filter(_ == checked.rows).fold(split) { limit =>
        split.limit(limit).repartition(partitions.toInt)
      }
      first.select(described ++ bytes(content, table.schema): _*)
    }
    ImageInput(images, checked.rows)
  }

  /** The table's own columns, then path, label and class id. */
  private def description(
      table: TableFile,
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Seq[Column] = {
    val used = columns.replaced ++ columns.content
      .filter(_ => readError(table.schema).isDefined)
      .map(_ => Columns.Error)
    val own = table.names.filterNot(used).flatMap { name =>
      columns.content
        .filter(_.head == name)
        .fold(Option(Columns.quoted(name))) { content =>
          withoutField(table.schema, content)
        }
        .map(name -> _)
    }
    val names = OwnColumns.names(own.map(_._1))
    own.zip(names).map { case ((_, column), name) => column.as(name) } ++ Seq(
      pathOf(columns).as(Columns.Path),
      nullif(labelOf(labels, columns, root).cast("string"), lit("")).as(Columns.Label),
      columns.labelId
        .fold(lit(None.orNull))(Columns.field)
        .cast("int")
        .as(Columns.LabelId),
    )
  }

  /** A column without one of its fields; None where nothing is left of it. */
  private def withoutField(schema: StructType, path: Seq[String]): Option[Column] =
    (path.size - 1 to 1 by -1).collectFirst {
      case depth
          if TableColumns.typeOf(schema, path.take(depth)).asInstanceOf[StructType].size > 1 =>
        val field = path.slice(1, depth + 1).map(Columns.quotedName).mkString(".")
        Columns.quoted(path.head).dropFields(field)
    }

  /** Each row's path, or what else names the row where the table has none. */
  private def pathOf(columns: TableColumns.Resolved): Column =
    columns.path.fold(col(TableFile.RowKey))(Columns.field).cast("string")

  private def files(
      spark: SparkSession,
      described: DataFrame,
      root: String,
      request: ImageRequest,
  ): DataFrame = {
    // A row without a path is a file that is not found, not an empty one.
    val read = Expressions.mapped(coalesce(Columns.quoted(Columns.Path), lit(""))) {
      ReadImageExpression(_, ImagePathReader(spark, root, request.maxImageBytes))
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
  private def bytes(content: Seq[String], schema: StructType): Seq[Column] = {
    val told = readError(schema).map { error =>
      when(Columns.field(content).isNull && Columns.quoted(Columns.Error).isNotNull, error)
    }
    Seq(
      Columns.field(content).as(Columns.WorkerContent),
      told.getOrElse(lit(None.orNull)).cast(Columns.ErrorType).as(Columns.WorkerError),
    )
  }

  /** The table's own error, if it is one of reading images: `struct<code, stage, message>`. */
  private def readError(schema: StructType): Option[Column] = {
    val fields = Columns.ErrorType.fieldNames.toSeq
    schema.find(f => f.name == Columns.Error && Columns.isError(f.dataType)).map { _ =>
      struct(fields.map(f => Columns.quoted(Columns.Error).getField(f).as(f)): _*)
    }
  }

  private def labelOf(
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Column = {
    val path = pathOf(columns)
    val whole =
      when(path.rlike(s"^(/|${ImagePathReader.Uri})"), path)
        .otherwise(concat_ws("/", lit(root), path))
    labels match {
      case FolderLabels.Auto if columns.labelNames.nonEmpty =>
        val number = columns.label.fold(lit(None.orNull))(Columns.field)
        // Minus one, for one, is Hugging Face's word for a class that is not known.
        get(array(columns.labelNames.map(lit): _*), number.cast("int"))
      case FolderLabels.Auto => columns.label.fold(lit(None.orNull))(Columns.field)
      case FolderLabels.Folder => regexp_extract(whole, "([^/]+)/+[^/]+$", 1)
      case FolderLabels.Absent => lit(None.orNull)
    }
  }

  /** @param bytes of all images, by the table's column `length`; 0 where it has none */
  final private case class Checked(rows: Long, bytes: Long)

  /** Counts the rows; what is wrong with one stops the run here rather than in a task. */
  private def check(
      rows: DataFrame,
      location: String,
      table: TableFile,
      labelId: Option[Seq[String]],
  ): Checked = {
    val id = labelId.fold(lit(None.orNull))(Columns.field)
    val wrong = when(id.isNotNull && id.try_cast("int").isNull, id.cast("string"))
    val length = table.names.find(_ == Columns.Length).fold(lit(None.orNull)) { name =>
      Columns.quoted(name).cast("string").try_cast("bigint")
    }
    val found = rows
      .agg(
        count(lit(1)),
        min(wrong),
        min(table.problem),
        coalesce(sum(length.cast("double")), lit(0.0)),
      )
      .head()
    Option(found.getString(2)).flatMap(table.explain).foreach(throw _)
    Option(found.getString(1)).foreach { value =>
      throw SightlineException(
        "INVALID_LABEL_ID",
        "table" -> location,
        "value" -> value,
        "column" -> labelId.toSeq.flatten.mkString("."),
      )
    }
    Checked(found.getLong(0), found.getDouble(3).toLong)
  }
}
