package sightline.model

import org.apache.spark.sql.types.*

/**
 * What a model call gives for one row, beside the row's error.
 *
 * A row has either an error, and every field is NULL, or all fields and no error.
 */
sealed trait ResultType {

  /** The fields of the result, all nullable, without the error. */
  def dataType(signature: Signature): StructType
}

object ResultType {

  private val Score = new StructType()
    .add("label", StringType)
    .add("class_id", IntegerType)
    .add("score", FloatType)

  /** How many labels a prediction lists by default. */
  val DefaultTopK = 5

  /**
   * The best label, and the best k of them, of the first output with a classes head.
   *
   * @param k at least 1; a model with fewer classes gives all of them
   */
  final case class TopK(k: Int = DefaultTopK) extends ResultType {
    override def dataType(signature: Signature): StructType = Score.add("top_k", ArrayType(Score))
  }

  /** The best label, and the probability of every label. */
  case object Probabilities extends ResultType {
    override def dataType(signature: Signature): StructType = new StructType()
      .add("label", StringType)
      .add("class_id", IntegerType)
      .add("confidence", FloatType)
      .add("probabilities", MapType(StringType, FloatType))
  }

  /** The features: the first output with a vector head. */
  case object Vector extends ResultType {
    override def dataType(signature: Signature): StructType =
      new StructType().add("features", ArrayType(FloatType))
  }

  /**
   * Outputs as they are: a number for shape `[n]`, else nested arrays of the output's rank.
   *
   * @param names of the outputs, one field each
   */
  final case class Tensors(names: Seq[String]) extends ResultType {
    override def dataType(signature: Signature): StructType = {
      val tensors = signature.outputs.map(output => output.tensor.name -> output.tensor.dataType)
      names.foldLeft(new StructType()) { (fields, name) =>
        fields.add(name, tensors.toMap.apply(name))
      }
    }
  }

  /**
   * What `ml_predict` gives: the best classes, or every output of a model without classes.
   *
   * @param topK how many labels are listed, at least 1
   */
  def prediction(signature: Signature, topK: Int): ResultType =
    if (signature.classes.isDefined) TopK(topK)
    else Tensors(signature.outputs.map(_.tensor.name))
}
