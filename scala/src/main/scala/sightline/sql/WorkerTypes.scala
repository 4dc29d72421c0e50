package sightline.sql

import org.apache.spark.sql.types.*

/** Which columns can go through a Python worker and come back as they were. */
object WorkerTypes {

  /**
   * Whether Arrow and Spark's own Python half have the type: intervals of months are none of theirs,
   * nor is an element without a type, as of `array()`.
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
