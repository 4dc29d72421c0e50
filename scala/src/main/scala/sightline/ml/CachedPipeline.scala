package sightline.ml

import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.sightline.PipelineFiles
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader}
import org.apache.spark.ml.{Estimator, Pipeline, PipelineModel, PipelineStage, Transformer}
import org.apache.spark.sql.types.{BinaryType, DataType, StructType}
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.storage.StorageLevel

/**
 * Spark's `Pipeline`, whose fit runs each transformer once.
 *
 * Before an estimator that follows a transformer, the rows are persisted, until the end of the fit.
 * So a `CrossValidator` after an [[ImageFeaturizer]] reads the features from the cache for each fold
 * and each point of its grid. BINARY columns and image structs are not persisted, so the stages
 * from that estimator on cannot use them in the fit.
 */
final class CachedPipeline(override val uid: String) extends Pipeline(uid) {

  def this() = this(Identifiable.randomUID("cachedPipeline"))

  override def setStages(value: Array[? <: PipelineStage]): this.type = {
    super.setStages(value): Unit
    this
  }

  /** The stages up to the last estimator, and those after it. */
  private def divided: (List[PipelineStage], List[PipelineStage]) =
    getStages.toList.splitAt(getStages.lastIndexWhere(_.isInstanceOf[Estimator[?]]) + 1)

  override def transformSchema(schema: StructType): StructType = {
    val (used, _) = divided
    used.foldLeft((schema, false)) {
      case ((before, _), stage: Transformer) => (stage.transformSchema(before), true)
      case ((before, isComputed), stage) =>
        val rows = if (isComputed) CachedPipeline.cached(before) else before
        (stage.transformSchema(rows), false)
    }: Unit
    super.transformSchema(schema)
  }

  override def fit(dataset: Dataset[?]): PipelineModel = {
    transformSchema(dataset.schema): Unit
    val (used, after) = divided
    val fitted = CachedPipeline.fit(dataset.toDF(), used, isComputed = false)
    val others = after.collect { case stage: Transformer => stage }
    PipelineFiles.model(uid, (fitted ++ others).toArray).setParent(this)
  }

  override def copy(extra: ParamMap): CachedPipeline =
    new CachedPipeline(uid).setStages(super.copy(extra).getStages)
}

object CachedPipeline extends MLReadable[CachedPipeline] {

  override def read: MLReader[CachedPipeline] =
    PipelineFiles.reader(classOf[CachedPipeline]) { (uid, stages) =>
      new CachedPipeline(uid).setStages(stages)
    }

  /** @param isComputed whether a transformer has computed `rows` since they were persisted */
  private def fit(
      rows: DataFrame,
      stages: List[PipelineStage],
      isComputed: Boolean,
  ): List[Transformer] = stages match {
    case (stage: Transformer) :: rest =>
      stage :: fit(stage.transform(rows), rest, isComputed = true)
    case (_: Estimator[?]) :: _ if isComputed => persisted(rows)(fit(_, stages, isComputed = false))
    case (stage: Estimator[?]) :: rest =>
      val model = stage.fit(rows).asInstanceOf[Transformer]
      model :: (if (rest.isEmpty) Nil else fit(model.transform(rows), rest, isComputed = false))
    case _ => Nil
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
    val left = frame.schema.filter(field => hasBytes(field.dataType)).map(_.name)
    val rows = frame.drop(left: _*)
    val isOwn = rows.storageLevel == StorageLevel.NONE
    if (isOwn) rows.persist(StorageLevel.MEMORY_AND_DISK): Unit
    try {
      // Before the stages start jobs in parallel, which would compute partitions twice.
      rows.count(): Unit
      use(rows)
    } finally if (isOwn) rows.unpersist(): Unit
  }
}
