package sightline.sql

import org.apache.spark.sql.types.StructType

import sightline.source.Columns

/**
 * The result type of a model call for one row.
 *
 * @param worker the result's name in the worker
 */
sealed abstract class InferenceResult(val worker: String, val dataType: StructType)

object InferenceResult {

  /** The result of `ml_predict(model, content)`. */
  case object Prediction
      extends InferenceResult("prediction", Columns.PredictionType.add("error", Columns.ErrorType))

  /** The result of `ml_features`. */
  case object Features extends InferenceResult("features", Columns.FeaturesType)

  /** The result of `get_image_inference_udf`. */
  case object ImageInference extends InferenceResult("image_inference", Columns.ImageInferenceType)

  /** The two columns of `ml_predict(TABLE(…))`; whole rows pass through the worker by mapInArrow. */
  case object Row
      extends InferenceResult(
        "row",
        new StructType()
          .add(Columns.Prediction, Columns.PredictionType)
          .add(Columns.Error, Columns.ErrorType),
      )
}
