package sightline.sql

import org.apache.spark.sql.SparkSessionExtensions

import sightline.plan.{PlanRules, SqlFunction}

/**
 * The Spark session extensions of Sightline. A session enables them by `--jars sightline.jar --conf
 * spark.sql.extensions=sightline.sql.SightlineExtensions`.
 */
final class SightlineExtensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectParser((_, parser) => new ModelParser(parser))
    PlanRules.inject(extensions)
    SqlFunction.register(
      Seq(
        PredictFunction,
        FeaturesFunction,
        ImageInferenceFunction,
        PredictTableFunction,
        ReadImagesFunction,
      )
    )
  }
}
