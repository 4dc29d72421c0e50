package sightline.source

import java.util.OptionalLong

import org.apache.spark.internal.Logging
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.connector.metric.CustomMetric
import org.apache.spark.sql.connector.read.*
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.SerializableConfiguration

/** Accepts pruned columns and a limit from Spark, so that a query opens only the files it needs. */
final private[source] class FolderScanBuilder(
    options: FolderScanOptions,
    listed: Option[IndexedSeq[ImageFile]],
) extends ScanBuilder
    with SupportsPushDownRequiredColumns
    with SupportsPushDownLimit {

  // Spark calls the builder's methods one after the other, on one thread.
  private val pushed = new java.util.concurrent.atomic.AtomicReference(
    (options, FolderSchema.Type)
  )

  // Complete columns: Spark would prune the fields of `error` that a query does not use.
  override def pruneColumns(required: StructType): Unit = {
    val columns = StructType(required.fieldNames.map(FolderSchema.Type(_)))
    pushed.updateAndGet { case (o, _) => (o, columns) }: Unit
  }

  override def pushLimit(limit: Int): Boolean = {
    pushed.updateAndGet { case (o, schema) =>
      (o.copy(limit = Some(math.min(limit, o.limit.getOrElse(limit)))), schema)
    }
    true
  }

  override def isPartiallyPushed: Boolean = false

  override def build(): Scan = {
    val (finalOptions, schema) = pushed.get
    new FolderScan(finalOptions, listed, schema)
  }
}

final private[source] class FolderScan(
    options: FolderScanOptions,
    listed: Option[IndexedSeq[ImageFile]],
    schema: StructType,
) extends Scan
    with Batch
    with SupportsReportStatistics
    with Logging {

  private lazy val spark = SparkSession.active

  private lazy val hadoop = spark.sessionState.newHadoopConf()

  private lazy val roots = AllowedRoots.of(spark)

  private lazy val files = AnalysisErrors.analysed {
    listed
      .map(files => options.limit.fold(files)(files.take))
      .getOrElse {
        val found = ImageListing.list(
          options.location,
          options.labels,
          options.limit,
          options.filter,
          hadoop,
          roots,
        )
        found.summary(options.filter).foreach(line => logWarning(s"${options.location}: $line"))
        found.files
      }
  }

  override def readSchema(): StructType = schema

  override def description(): String = s"sightline ${options.location}"

  override def toBatch: Batch = this

  override def estimateStatistics(): Statistics = new Statistics {
    override def sizeInBytes(): OptionalLong = OptionalLong.of(files.iterator.map(_.length).sum)
    override def numRows(): OptionalLong = OptionalLong.of(files.size.toLong)
  }

  override def planInputPartitions(): Array[InputPartition] =
    PartitionPlan
      .byBytes(files, spark.sparkContext.defaultParallelism)
      .map(FolderPartition(_): InputPartition)
      .toArray

  override def createReaderFactory(): PartitionReaderFactory =
    FolderReaderFactory(
      schema,
      options.maxImageBytes,
      roots,
      spark.sparkContext.broadcast(new SerializableConfiguration(hadoop)),
    )

  override def supportedCustomMetrics(): Array[CustomMetric] =
    Array(new FilesOpened, new BytesRead, new ReadErrors)
}
