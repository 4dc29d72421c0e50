package sightline.vectors

import sightline.plan.{
  ExpressionFunction,
  FunctionArguments,
  SqlFunction,
  VectorExpression,
  VectorMath,
}

/** The SQL functions on vectors. */
object VectorFunctions {

  val all: Seq[SqlFunction] = Seq(
    CosineSimilarityFunction,
    InnerProductFunction,
    L2DistanceFunction,
    NearDuplicatesFunction,
    FeatureDriftFunction,
  )
}

/** A function of Spark 4.2 on two vectors, for the Sparks that do not have it. */
sealed abstract class VectorFunction(
    override val name: String,
    method: String,
    result: String,
) extends ExpressionFunction {

  override protected def usage: String =
    s"_FUNC_(array1, array2) - Returns $result of two vectors of one dimension, ARRAY<FLOAT> each."

  override protected val parameters: Seq[String] = Seq("array1", "array2")
  override protected val required = 2

  override protected def build(arguments: FunctionArguments): Call =
    VectorExpression(name, method, arguments.required("array1"), arguments.required("array2"))
}

object CosineSimilarityFunction
    extends VectorFunction(
      VectorMath.CosineSimilarity,
      "cosineSimilarity",
      "the cosine similarity",
    )

object InnerProductFunction
    extends VectorFunction(VectorMath.InnerProduct, "innerProduct", "the inner product")

object L2DistanceFunction
    extends VectorFunction(VectorMath.L2Distance, "l2Distance", "the Euclidean (L2) distance")
