package sightline.sql

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.analysis.{FunctionRegistry, TableFunctionRegistry}
import org.apache.spark.sql.sightline.RowTallyStrategy

/**
 * All that a session needs:
 * `--jars sightline.jar --conf spark.sql.extensions=sightline.sql.SightlineExtensions`.
 */
final class SightlineExtensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPlannerStrategy(_ => RowTallyStrategy)
    extensions.injectParser((_, parser) => new ModelParser(parser))
    registerBuiltIn()
    extensions.injectPostHocResolutionRule(_ => CheckInference)
    extensions.injectCheckRule(_ => RefuseStream)
    extensions.injectPlanNormalizationRule(_ => ExtractInference)
    extensions.injectPlanNormalizationRule(new ShareInference(_))
    extensions.injectOptimizerRule(_ => OptimizeInference)
    extensions.injectPlannerStrategy(new InferStrategy(_))
    extensions.injectQueryStagePrepRule(_ => MaterializeInference)
    extensions.injectColumnar(_ => MaterializeInference.columnar)
  }

  /**
   * As Spark's own functions: views and SQL functions in a catalog may name only those. A session has
   * a copy of them, which it makes after its extensions.
   */
  private def registerBuiltIn(): Unit = {
    Seq(
      PredictFunction.description,
      FeaturesFunction.description,
      ImageInferenceFunction.description,
    ).foreach { case (name, info, build) =>
      FunctionRegistry.builtin.registerFunction(name, info, build)
    }
    Seq(PredictTableFunction.description, ReadImagesFunction.description).foreach {
      case (name, info, build) =>
        TableFunctionRegistry.builtin.registerFunction(name, info, build)
    }
  }
}
