package org.apache.spark.ml.sightline

import org.apache.spark.ml.util.MLReader
import org.apache.spark.ml.{Pipeline, PipelineModel, PipelineStage, Transformer}

/** Parts of Spark's pipelines that are private to its package, for subclasses of `Pipeline`. */
object PipelineFiles {

  /** A pipeline model of fitted stages. */
  def model(uid: String, stages: Array[Transformer]): PipelineModel =
    new PipelineModel(uid, stages)

  /**
   * Reads a saved pipeline of a subclass; `Pipeline.write` writes it.
   *
   * @param create creates the pipeline from its uid and stages
   */
  def reader[P <: Pipeline](pipeline: Class[P])(
      create: (String, Array[PipelineStage]) => P
  ): MLReader[P] = new MLReader[P] {
    override def load(path: String): P = {
      val (uid, stages) = Pipeline.SharedReadWrite.load(pipeline.getName, sparkSession, path)
      create(uid, stages)
    }
  }
}
