package org.apache.spark.ml.sightline

import org.apache.spark.ml.util.Identifiable
import org.apache.spark.ml.{PipelineModel, Transformer}

/** A pipeline of stages that are fitted already; Spark's own constructor is for its package. */
object FittedPipeline {
  def of(stages: Seq[Transformer]): PipelineModel =
    new PipelineModel(Identifiable.randomUID("pipeline"), stages.toArray)
}
