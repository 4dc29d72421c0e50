package sightline.vectors

import org.apache.spark.sql.SparkSession

import sightline.OptionValue
import sightline.plan.{FunctionArguments, TableFunction, TablePlan}

/** `near_duplicates(TABLE(features)[, …])`: the members of the groups of near duplicates. */
object NearDuplicatesFunction extends TableFunction {

  override val name: String = NearDuplicates.Function

  override protected def usage: String =
    """_FUNC_(TABLE(vectors)[, threshold[, id[, features[, recall]]]]) - Groups similar vectors.
      |  Two rows are a pair if the cosine similarity of their vectors is at least `threshold` (0.95).
      |  A group is a connected component of the pairs. Returns group_id, the column `id` ('path') and
      |  similarity (to the group's representative) for each row of a group of at least two rows.
      |  `features` ('features') is the column of vectors, ARRAY<FLOAT>. Of more than 10,000 rows a pair
      |  at the threshold is found with the probability `recall` (0.99); 1 compares all pairs.""".stripMargin

  override protected val parameters: Seq[String] =
    Seq("vectors", "threshold", "id", "features", "recall")
  override protected val required = 1

  override protected def build(arguments: FunctionArguments): Call = {
    val defaults = NearDuplicates()
    def number(name: String, default: Double): Double =
      arguments.optionalLiteral(name).fold(default) { text =>
        text.toDoubleOption.getOrElse {
          throw OptionValue.invalid(name, text, "It must be a number.")
        }
      }
    val search = NearDuplicates(
      number("threshold", defaults.threshold),
      arguments.optionalLiteral("id").getOrElse(defaults.id),
      arguments.optionalLiteral("features").getOrElse(defaults.features),
      number("recall", defaults.recall),
    )
    TablePlan.of(SparkSession.active, Seq(arguments.table("vectors"))) { tables =>
      search.groups(tables.head)
    }
  }
}
