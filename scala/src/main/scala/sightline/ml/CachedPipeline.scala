package sightline.ml

import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.sightline.PipelineFiles
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader}
import org.apache.spark.ml.{Estimator, Pipeline, PipelineModel, PipelineStage, Transformer}
import org.apache.spark.sql.types.{BinaryType, DataType, StructType}
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.storage.StorageLevel

import sightline.source.Columns

/**
 * Spark's `Pipeline`, whose fit runs the transformers before the first estimator once.
 *
 * Their rows are persisted for the other stages, and removed at the end of the fit. So a
 * `CrossValidator` after an [[ImageFeaturizer]] reads the features from the cache for each fold and
 * each point of its grid. BINARY columns and image structs are not persisted: the stages after the
 * transformers cannot have them as inputs of their fit.
 */
final class CachedPipeline(override val uid: String) extends Pipeline(uid) {

  def this() = this(Identifiable.randomUID("cachedPipeline"))

  override def setStages(value: Array[? <: PipelineStage]): this.type = {
    super.setStages(value): Unit
    this
  }

  /** The transformers before the first estimator, and the other stages. */
  private def divided: (Array[Transformer], Array[PipelineStage]) = {
    val (first, rest) = getStages.span(!_.isInstanceOf[Estimator[?]])
    (first.collect { case stage: Transformer => stage }, rest)
  }

  /** Whether there are rows to persist, and stages to read them. */
  private def hasBoth: Boolean = {
    val (first, rest) = divided
    first.nonEmpty && rest.nonEmpty
  }

  override def transformSchema(schema: StructType): StructType = {
    if (hasBoth) {
      val (first, rest) = divided
      val transformed = first.foldLeft(schema)((before, stage) => stage.transformSchema(before))
      new Pipeline(uid).setStages(rest).transformSchema(CachedPipeline.cached(transformed)): Unit
    }
    super.transformSchema(schema)
  }

  override def fit(dataset: Dataset[?]): PipelineModel =
    if (hasBoth) {
      transformSchema(dataset.schema): Unit
      val (first, rest) = divided
      val transformed = first.foldLeft(dataset.toDF())((rows, stage) => stage.transform(rows))
      val fitted = CachedPipeline.persisted(transformed) { rows =>
        new Pipeline(uid).setStages(rest).fit(rows)
      }
      PipelineFiles.model(uid, first ++ fitted.stages).setParent(this)
    } else super.fit(dataset)

  override def copy(extra: ParamMap): CachedPipeline =
    new CachedPipeline(uid).setStages(super.copy(extra).getStages)
}

object CachedPipeline extends MLReadable[CachedPipeline] {

  override def read: MLReader[CachedPipeline] =
    PipelineFiles.reader(classOf[CachedPipeline]) { (uid, stages) =>
      new CachedPipeline(uid).setStages(stages)
    }

  /** The columns of `schema` that are persisted. */
  private def cached(schema: StructType): StructType =
    StructType(schema.filterNot(field => hasBytes(field.dataType)))

  private def hasBytes(dataType: DataType): Boolean = dataType match {
    case BinaryType => true
    case struct: StructType => struct.exists(field => hasBytes(field.dataType))
    case _ => false
  }

  /** Runs `use` with the rows in the cache, and removes those that were not there before. */
  private def persisted[A](frame: DataFrame)(use: DataFrame => A): A = {
    val rows = frame.select(cached(frame.schema).map(field => Columns.quoted(field.name)): _*)
    val isOwn = rows.storageLevel == StorageLevel.NONE
    if (isOwn) rows.persist(StorageLevel.MEMORY_AND_DISK): Unit
    try {
      // Before the stages start jobs in parallel, which would compute partitions twice.
      rows.count(): Unit
      use(rows)
    } finally if (isOwn) rows.unpersist(): Unit
  }
}
