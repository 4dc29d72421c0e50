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
  sum,
  when,
}
import org.apache.spark.sql.sightline.{Expressions, ReadImageExpression}
import org.apache.spark.sql.types.{ByteType, IntegerType, ShortType, StructType}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/** The images of a table: the bytes in a column, or the files that a column names. */
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
    val checked = sizeOf(table, columns, request.limit)
      .getOrElse(check(rows, request.images, table, columns.labelId))
    val root = TableFile.root(spark, request.images, request.table.root)
    for {
      replaces <- request.replaces
      path <- columns.path
    } {
      replaces.requireWithout(table.rows.select(Columns.field(path).cast("string")), root)
    }
    val partitions = PartitionPlan.partitions(
      checked.rows,
      checked.bytes,
      spark.sparkContext.defaultParallelism,
    )
    val described = description(table, request.labels, columns, root)
    def read(described: DataFrame): DataFrame = files(spark, described, root, request)
    val (images, sample) = columns.content.fold[(DataFrame, ImageSample => DataFrame)] {
      (
        read(rows.repartition(partitions.toInt).select(described: _*)),
        sample => read(sample.ofDescriptions(rows.select(described: _*))),
      )
    } { content =>
      def all(how: SplitRows): DataFrame = {
        val split = table.split.fold(table.rows)(_(how))
        // Only a limit that cuts the table makes it necessary to shuffle the bytes.
        val first = request.limit.filter(_ == checked.rows).fold(split) { limit =>
          split.limit(limit).repartition(partitions.toInt)
        }
        first.select(described ++ bytes(content, table.schema): _*)
      }
      // A sample takes few rows of a partition. Rows that are read in vain would count as its cost.
      (all(SplitRows(partitions)), _.ofPartitions(all(SplitRows(partitions, readAhead = 8))))
    }
    ImageInput(
      images,
      checked.rows,
      isPacked = columns.content.isDefined,
      bytes = checked.bytes,
      sample = Some(sample),
    )
  }

  /** The table's own columns, then path, label and class id. */
  private def description(
      table: TableFile,
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Seq[Column] = {
    val used = columns.replaced ++ columns.content
      .filter(_ => Columns.errorOf(table.schema).isDefined)
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

  /** A column without one of its fields; None if it has no other fields. */
  private def withoutField(schema: StructType, path: Seq[String]): Option[Column] =
    (path.size - 1 to 1 by -1).collectFirst {
      case depth
          if TableColumns.typeOf(schema, path.take(depth)).asInstanceOf[StructType].size > 1 =>
        val field = path.slice(1, depth + 1).map(Columns.quotedName).mkString(".")
        Columns.quoted(path.head).dropFields(field)
    }

  /** Each row's path, or the row's key if the table has no paths. */
  private def pathOf(columns: TableColumns.Resolved): Column =
    columns.path.fold(col(TableFile.RowKey))(Columns.field).cast("string")

  private def files(
      spark: SparkSession,
      described: DataFrame,
      root: String,
      request: ImageRequest,
  ): DataFrame = {
    // A row without a path gives the error NOT_FOUND, not EMPTY.
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

  /** The bytes, and the table's own error for a row without bytes. */
  private def bytes(content: Seq[String], schema: StructType): Seq[Column] = {
    val own = Columns.errorOf(schema).map { error =>
      when(Columns.field(content).isNull && Columns.quoted(Columns.Error).isNotNull, error)
    }
    Seq(
      Columns.field(content).as(Columns.WorkerContent),
      own.getOrElse(lit(None.orNull)).cast(Columns.ErrorType).as(Columns.WorkerError),
    )
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
        // An index that has no name gives null; Hugging Face uses -1 for an unknown class.
        get(array(columns.labelNames.map(lit): _*), number.cast("int"))
      case FolderLabels.Auto => columns.label.fold(lit(None.orNull))(Columns.field)
      case FolderLabels.Folder => regexp_extract(whole, "([^/]+)/+[^/]+$", 1)
      case FolderLabels.Absent => lit(None.orNull)
    }
  }

  /** @param bytes the bytes of the images or their table; 0 if they are unknown */
  final private case class Checked(rows: Long, bytes: Long)

  /**
   * The size of a table of images' bytes, if every row is valid by its types; None if the rows must be
   * read to know it.
   */
  private def sizeOf(
      table: TableFile,
      columns: TableColumns.Resolved,
      limit: Option[Int],
  ): Option[Checked] = {
    val idIsInt = columns.labelId.forall { id =>
      Seq(ByteType, ShortType, IntegerType).contains(TableColumns.typeOf(table.schema, id))
    }
    Option.when(columns.content.isDefined && idIsInt)(table.size()).flatten.map { all =>
      val rows = limit.fold(all.rows)(all.rows.min(_))
      Checked(rows, if (rows == 0) 0L else (all.bytes.toDouble * rows / all.rows).toLong)
    }
  }

  /** Counts the rows and raises the error of an invalid one, before a task of the run does. */
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
