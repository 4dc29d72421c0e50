package sightline.plan

/**
 * A query with one or more model calls.
 *
 * @param name unique among the shapes
 * @param ideal the smallest number of inferences: no image twice, and none whose result is not used
 * @param sql the text of the query, for Sightline's calls or for calls that look up precomputed
 *   predictions
 * @param ordered whether the order of its rows is part of the result
 * @param rows whether the query itself determines its rows; a LIMIT without an order does not
 */
final case class QueryShape(
    name: String,
    ideal: QueryShape.Ran,
    sql: ModelCalls => String,
    ordered: Boolean = false,
    rows: Boolean = true,
) {

  /** The name of a group of shapes: the first part of `FAMILY: MEMBER`. */
  def family: String = name.takeWhile(_ != ':')
}

object QueryShape {

  /** The outcome of running a query. */
  sealed trait Outcome

  /**
   * The query gave the rows of the reference.
   *
   * @param nodes the number of operators of the executed plan that run a model; a reused exchange counts
   *   once
   * @param images the number of images that were decoded
   */
  final case class Ran(nodes: Int, images: Int) extends Outcome {
    override def toString: String = s"$nodes × $images"
  }

  /** The query gave other rows than the reference. */
  case object OtherRows extends Outcome

  /** The query failed with an error of this condition. */
  final case class Failed(condition: String) extends Outcome
}

/**
 * The SQL text of every kind of model call.
 *
 * @param colour `ml_predict` with the model `colour`, on an expression for the image's bytes
 * @param means `ml_predict` with another model
 * @param named `ml_predict` with the model `strongest`, which has the bundle of `colour`, by this name
 * @param features `ml_features`
 * @param file `get_image_inference_udf`, on an expression for a path
 * @param table `ml_predict(TABLE(…))` over a table with a column `content`, as a relation
 * @param answers a view of `images` with the result of `colour(content)` as `r`
 * @param label a temporary SQL function around a call, that gives its label
 */
final case class ModelCalls(
    colour: String => String,
    means: String => String,
    named: (String, String) => String,
    features: String => String,
    file: String => String,
    table: String => String,
    answers: String,
    label: String => String,
)
