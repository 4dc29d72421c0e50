package sightline.sql

import org.apache.spark.sql.types.*

/** Checks which column types can pass through a Python worker without change. */
object WorkerTypes {

  /**
   * Whether both Arrow and Spark's Python code support the type. They do not support intervals of
   * months, nor an element without a type, as in `array()`.
   */
  def carries(dataType: DataType, nullable: Boolean): Boolean = dataType match {
    case NullType => nullable
    case ArrayType(element, containsNull) => carries(element, containsNull)
    case MapType(key, value, containsNull) =>
      carries(key, nullable = false) && carries(value, containsNull)
    case StructType(fields) => fields.forall(field => carries(field.dataType, field.nullable))
    case _: NumericType | _: StringType | BinaryType | BooleanType | DateType | TimestampType |
        TimestampNTZType | VariantType | _: DayTimeIntervalType =>
      true
    case _ => false
  }
}
