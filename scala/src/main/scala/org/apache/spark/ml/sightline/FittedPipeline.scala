package org.apache.spark.ml.sightline

import org.apache.spark.ml.util.Identifiable
import org.apache.spark.ml.{PipelineModel, Transformer}

/** Creates a pipeline model of fitted stages; Spark's constructor is private to its package. */
object FittedPipeline {
  def of(stages: Seq[Transformer]): PipelineModel =
    new PipelineModel(Identifiable.randomUID("pipeline"), stages.toArray)
}
