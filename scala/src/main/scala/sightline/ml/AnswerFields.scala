package sightline.ml

import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.struct
import org.apache.spark.sql.types.{DataType, StructType}

/** Fields of a model's answer as a column of their own. */
private[ml] object AnswerFields {

  /**
   * A struct of the fields of `wanted`, without the answer's error.
   *
   * @param wanted a struct type whose fields the answer has
   */
  def apply(wanted: DataType, answer: Column): Column = wanted match {
    case fields: StructType =>
      struct(fields.fieldNames.toSeq.map(name => answer.getField(name).as(name)): _*)
    case other => throw new IllegalArgumentException(other.sql)
  }
}
