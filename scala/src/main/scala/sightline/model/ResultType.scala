package sightline.model

import org.apache.spark.sql.types.*

/**
 * The result of a model call for one row, without the row's error.
 *
 * If a row has an error, every field of its result is NULL.
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

  /** The default number of labels in a prediction. */
  val DefaultTopK = 5

  /**
   * The best label and the k best labels, from the first output with a classes head.
   *
   * @param k at least 1; a model with fewer classes gives all of them
   */
  final case class TopK(k: Int = DefaultTopK) extends ResultType {
    override def dataType(signature: Signature): StructType = Score.add("top_k", ArrayType(Score))
  }

  /** The best label and the probability of every label. */
  case object Probabilities extends ResultType {
    override def dataType(signature: Signature): StructType = new StructType()
      .add("label", StringType)
      .add("class_id", IntegerType)
      .add("confidence", FloatType)
      .add("probabilities", MapType(StringType, FloatType))
  }

  /**
   * The features: the only field, named features. A float64 output is rounded to float.
   *
   * @param output the name of an output with a vector head; None: the first such output
   */
  final case class Vector(output: Option[String] = None) extends ResultType {
    override def dataType(signature: Signature): StructType =
      new StructType().add("features", ArrayType(FloatType))
  }

  /**
   * Outputs without conversion: a number for the shape `[n]`, else nested arrays of the output's rank.
   *
   * @param names the names of the outputs; each is a field of the result
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
   * Several results of one run of the model. Each is a struct, named `answer0`, `answer1` and so on.
   *
   * @param results at least two, each another
   */
  final case class Several(results: Seq[ResultType]) extends ResultType {
    override def dataType(signature: Signature): StructType =
      StructType(results.zipWithIndex.map { case (result, at) =>
        StructField(s"answer$at", result.dataType(signature))
      })
  }

  /**
   * The result of `ml_predict`: the best classes, or every output of a model without classes.
   *
   * @param topK the number of labels in a prediction, at least 1
   */
  def prediction(signature: Signature, topK: Int): ResultType =
    if (signature.classes.isDefined) TopK(topK)
    else Tensors(signature.outputs.map(_.tensor.name))
}
