package sightline.sql

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.sightline.{RowTallyStrategy, StatementParser}

import sightline.plan.{
  CheckInference,
  ExtractInference,
  InferStrategy,
  MaterializeInference,
  OptimizeInference,
  RefuseStream,
  ShareInference,
  SqlFunction,
}
import sightline.vectors.VectorFunctions

/**
 * The Spark session extensions of Sightline. A session enables them by `--jars sightline.jar --conf
 * spark.sql.extensions=sightline.sql.SightlineExtensions`.
 */
final class SightlineExtensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPlannerStrategy(_ => RowTallyStrategy)
    extensions.injectParser((_, parser) => new StatementParser(parser, ModelStatement))
    SqlFunction.register(
      Seq(
        PredictFunction,
        FeaturesFunction,
        ImageInferenceFunction,
        PredictTableFunction,
        ReadImagesFunction,
      ) ++ VectorFunctions.all
    )
    extensions.injectPostHocResolutionRule(_ => CheckInference)
    extensions.injectCheckRule(_ => RefuseStream)
    extensions.injectPlanNormalizationRule(new ExtractInference(_))
    extensions.injectPlanNormalizationRule(new ShareInference(_))
    extensions.injectOptimizerRule(_ => OptimizeInference)
    extensions.injectPlannerStrategy(new InferStrategy(_))
    extensions.injectQueryStagePrepRule(_ => MaterializeInference)
    extensions.injectColumnar(_ => MaterializeInference.columnar)
  }
}
