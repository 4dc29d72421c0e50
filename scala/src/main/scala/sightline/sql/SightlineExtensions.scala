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
    extensions.injectFunction(ImageInferenceFunction.description)
    extensions.injectTableFunction(PredictTableFunction.description)
  }
}
