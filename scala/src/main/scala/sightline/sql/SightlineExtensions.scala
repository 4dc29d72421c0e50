package sightline.sql

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.sightline.RowTallyStrategy

/**
 * All that a session needs:
 * `--jars sightline.jar --conf spark.sql.extensions=sightline.sql.SightlineExtensions`.
 */
final class SightlineExtensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPlannerStrategy(_ => RowTallyStrategy)
    extensions.injectParser((_, parser) => new ModelParser(parser))
    extensions.injectFunction(PredictFunction.description)
    extensions.injectFunction(FeaturesFunction.description)
    extensions.injectFunction(ImageInferenceFunction.description)
    extensions.injectTableFunction(PredictTableFunction.description)
    extensions.injectTableFunction(ReadImagesFunction.description)
    extensions.injectPostHocResolutionRule(_ => CheckInference)
    extensions.injectPlanNormalizationRule(_ => ExtractInference)
    extensions.injectPlanNormalizationRule(new ShareInference(_))
    extensions.injectOptimizerRule(_ => OptimizeInference)
    extensions.injectPlannerStrategy(new InferStrategy(_))
    extensions.injectQueryStagePrepRule(_ => MaterializeInference)
    extensions.injectColumnar(_ => MaterializeInference.columnar)
  }
}
