package sightline.plan

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.sightline.RowTallyStrategy

/** The rules and strategies that turn model calls into operators of Spark. */
object PlanRules {

  /** Adds them to a session, in the order in which a query passes them. */
  def inject(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPostHocResolutionRule(_ => CheckInference)
    extensions.injectCheckRule(_ => RefuseStream)
    extensions.injectPlanNormalizationRule(_ => ExtractInference)
    extensions.injectPlanNormalizationRule(new ShareInference(_))
    extensions.injectOptimizerRule(_ => OptimizeInference)
    extensions.injectPlannerStrategy(_ => RowTallyStrategy)
    extensions.injectPlannerStrategy(new InferStrategy(_))
    extensions.injectQueryStagePrepRule(_ => MaterializeInference)
    extensions.injectColumnar(_ => MaterializeInference.columnar)
  }
}
