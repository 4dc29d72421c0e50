package sightline.sql

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.analysis.{FunctionRegistry, TableFunctionRegistry}
import org.apache.spark.sql.sightline.{RowTallyStrategy, StatementParser}

/**
 * The Spark session extensions of Sightline. A session enables them by `--jars sightline.jar --conf
 * spark.sql.extensions=sightline.sql.SightlineExtensions`.
 */
final class SightlineExtensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPlannerStrategy(_ => RowTallyStrategy)
    extensions.injectParser((_, parser) => new StatementParser(parser, ModelStatement))
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
   * Registers the functions as built-in functions, because views and SQL functions in a catalog can
   * name only those. A session copies the built-in functions after it applies its extensions.
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
