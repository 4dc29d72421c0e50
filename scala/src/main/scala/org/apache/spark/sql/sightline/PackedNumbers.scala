package org.apache.spark.sql.sightline

import org.apache.spark.sql.Column
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types.*
import org.apache.spark.unsafe.Platform

/**
 * Arrays of numbers as the bytes of their elements, in the byte order of the machine.
 *
 * Spark sends an array to a Python worker, and reads it back, by calls for each of its numbers. Bytes are
 * copied at once.
 */
object PackedNumbers {

  /**
   * The bytes of arrays; a NULL element becomes NaN, a NULL array stays NULL.
   *
   * @param arrays array<float> or array<double>
   * @param number the type of an element
   */
  def pack(arrays: Column, number: DataType): Column = {
    val function = number match {
      case FloatType => "floatBytes"
      case DoubleType => "doubleBytes"
      case other => throw new IllegalArgumentException(other.sql)
    }
    call(arrays, BinaryType, function)
  }

  /** The arrays of packed numbers, array<float> without NULL elements. */
  def unpackFloats(bytes: Column): Column =
    call(bytes, ArrayType(FloatType, containsNull = false), "floats")

  /** Whether no element of an array<float> is NULL, NaN or infinite. */
  def areFinite(floats: Column): Column = call(floats, BooleanType, "allFinite")

  /** For [[pack]]. */
  def floatBytes(array: ArrayData): Array[Byte] =
    packed(array, java.lang.Float.BYTES) { (bytes, at, i) =>
      Platform.putFloat(bytes, at, if (array.isNullAt(i)) Float.NaN else array.getFloat(i))
    }

  /** For [[pack]]. */
  def doubleBytes(array: ArrayData): Array[Byte] =
    packed(array, java.lang.Double.BYTES) { (bytes, at, i) =>
      Platform.putDouble(bytes, at, if (array.isNullAt(i)) Double.NaN else array.getDouble(i))
    }

  /** For [[unpackFloats]]. */
  def floats(bytes: Array[Byte]): ArrayData = {
    require(bytes.length % java.lang.Float.BYTES == 0, s"${bytes.length} bytes")
    val numbers = new Array[Float](bytes.length / java.lang.Float.BYTES)
    Platform.copyMemory(
      bytes,
      Platform.BYTE_ARRAY_OFFSET.toLong,
      numbers,
      Platform.FLOAT_ARRAY_OFFSET.toLong,
      bytes.length.toLong,
    )
    UnsafeArrayData.fromPrimitiveArray(numbers)
  }

  /** For [[areFinite]]. */
  def allFinite(floats: ArrayData): Boolean =
    (0 until floats.numElements()).forall { i =>
      !floats.isNullAt(i) && java.lang.Float.isFinite(floats.getFloat(i))
    }

  private def packed(array: ArrayData, size: Int)(
      put: (Array[Byte], Long, Int) => Unit
  ): Array[Byte] = {
    val start = Platform.BYTE_ARRAY_OFFSET.toLong
    val bytes = new Array[Byte](array.numElements() * size)
    // The copy of a vector of Parquet's reader is of this class too, and is made by copies of memory.
    array.copy() match {
      case flat: UnsafeArrayData if !hasNull(flat) =>
        val header = UnsafeArrayData.calculateHeaderPortionInBytes(flat.numElements())
        val from = flat.getBaseOffset + header
        Platform.copyMemory(flat.getBaseObject, from, bytes, start, bytes.length.toLong)
      case _ => (0 until array.numElements()).foreach(i => put(bytes, start + i.toLong * size, i))
    }
    bytes
  }

  private def hasNull(array: UnsafeArrayData): Boolean = {
    // 64 elements a word, after the number of elements.
    val words = (array.numElements() + 63) / 64
    (1 to words).exists { word =>
      Platform.getLong(array.getBaseObject, array.getBaseOffset + word.toLong * 8) != 0
    }
  }

  private def call(column: Column, result: DataType, function: String): Column =
    Expressions.mapped(column) { child =>
      StaticInvoke(getClass, result, function, Seq(child), returnNullable = false)
    }
}
