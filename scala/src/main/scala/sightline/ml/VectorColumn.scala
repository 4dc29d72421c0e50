package sightline.ml

import org.apache.spark.ml.attribute.AttributeGroup
import org.apache.spark.ml.functions.array_to_vector
import org.apache.spark.ml.linalg.SQLDataTypes
import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.when
import org.apache.spark.sql.types.{ArrayType, DoubleType, StructField}

import sightline.model.{Axis, ModelOutput, TensorSpec}

/** Columns of Spark ML vectors from the model's numbers. */
private[ml] object VectorColumn {

  /** A column of vectors, with the vectors' length in its metadata as MLlib's stages have it. */
  def field(name: String, output: ModelOutput): StructField =
    StructField(
      name,
      SQLDataTypes.VectorType,
      nullable = true,
      metadata = length(output.tensor)
        .fold(new AttributeGroup(name))(new AttributeGroup(name, _))
        .toMetadata(),
    )

  /** The vectors of a column of arrays; NULL for NULL. */
  def of(numbers: Column): Column = {
    val doubles = numbers.cast(ArrayType(DoubleType))
    when(doubles.isNotNull, array_to_vector(doubles))
  }

  private def length(tensor: TensorSpec): Option[Int] = tensor.shape match {
    case Seq(Axis.Fixed(length)) => Some(length)
    case _ => None
  }
}
