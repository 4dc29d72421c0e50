package sightline.vectors

import org.apache.spark.sql.SparkSession

import sightline.plan.{FunctionArguments, TableFunction, TablePlan}

/** `feature_drift(TABLE(reference), TABLE(current)[, features])`: compares two sets of vectors. */
object FeatureDriftFunction extends TableFunction {

  override val name: String = FeatureDrift.Function

  override protected def usage: String =
    """_FUNC_(TABLE(reference), TABLE(current)[, features]) - Compares two sets of vectors.
      |  Returns feature, measure, value and verdict ('none', 'moderate' or 'large'). The measures of the
      |  whole sets, with the feature NULL, are rows_reference, rows_current, frechet_distance,
      |  domain_classifier_auc and drifted_features; those of each feature are psi and mean_shift.
      |  `features` ('features') is the column of vectors, ARRAY<FLOAT>.""".stripMargin

  override protected val parameters: Seq[String] = Seq("reference", "current", "features")
  override protected val required = 2

  override protected def build(arguments: FunctionArguments): Call = {
    val drift = arguments.optionalLiteral("features").fold(FeatureDrift())(FeatureDrift(_))
    val tables = Seq("reference", "current").map(arguments.table)
    TablePlan.of(SparkSession.active, tables)(frames => drift.compare(frames(0), frames(1)))
  }
}
