package sightline.sql

import org.apache.spark.sql.types.StructType

import sightline.source.Columns

/**
 * What a call of a model gives for a row.
 *
 * @param worker its name in the worker
 */
sealed abstract class InferenceResult(val worker: String, val dataType: StructType)

object InferenceResult {

  /** Of `ml_predict(model, content)`. */
  case object Prediction
      extends InferenceResult("prediction", Columns.PredictionType.add("error", Columns.ErrorType))

  /** Of `ml_features`. */
  case object Features extends InferenceResult("features", Columns.FeaturesType)

  /** Of `get_image_inference_udf`. */
  case object ImageInference extends InferenceResult("image_inference", Columns.ImageInferenceType)

  /** Two columns of `ml_predict(TABLE(…))`; whole rows pass through the worker by mapInArrow. */
  case object Row
      extends InferenceResult(
        "row",
        new StructType()
          .add(Columns.Prediction, Columns.PredictionType)
          .add(Columns.Error, Columns.ErrorType),
      )
}
