package org.apache.spark.ml.sightline

import org.apache.spark.ml.util.HasTrainingSummary

/** The summary of the training in a fitted model of Spark ML; its setter is private to Spark. */
object TrainingSummary {

  /**
   * Removes the summary from a model that tasks use: the summary has the session of the training, which
   * cannot always be serialized.
   */
  def remove[M <: HasTrainingSummary[?]](model: M): M = {
    model.setSummary(None): Unit
    model
  }
}
