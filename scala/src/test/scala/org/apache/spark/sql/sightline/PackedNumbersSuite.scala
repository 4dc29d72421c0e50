package org.apache.spark.sql.sightline

import java.nio.file.Files
import java.nio.{ByteBuffer, ByteOrder}

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.functions.col
import org.apache.spark.sql.types.{ArrayType, DataType, DoubleType, FloatType, StructType}
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class PackedNumbersSuite extends AnyFunSuite with LocalSpark {

  private val absent: Any = None.orNull
  // More elements than the bits of a word that marks NULL elements.
  private val long: Seq[Any] = (0 until 200).map(i => i - 0.5f)

  test("arrays of a Parquet file, of a local row and of a shuffle are packed alike") {
    // The reader's vectors, rows of Scala and rows in memory of their own are of three classes.
    val rows: Seq[Seq[Any]] =
      Seq(
        long,
        long.updated(130, absent),
        Seq(1.5f, absent, Float.NaN, Float.NegativeInfinity),
        Seq.empty,
      )
    val table = local(rows.map(Some(_)), FloatType)
    val expected = rows.map(_.map(one => Option(one).fold(Float.NaN)(_.asInstanceOf[Float])))
    Seq(table, stored(table), stored(table).repartition(1)).foreach { frame =>
      assert(floats(frame).map(_.map(_.toString)) == expected.map(_.map(_.toString)))
    }
  }

  test("float64 numbers keep all digits, and a NULL array stays NULL") {
    val table = local(Seq(Some(Seq(1e300, absent, 0.1)), None), DoubleType)
    Seq(table, stored(table)).foreach { frame =>
      val packed = frame.select(PackedNumbers.pack(col("numbers"), DoubleType)).collect().toSeq
      val bytes = packed.flatMap(row => Option(row.getAs[Array[Byte]](0)))
      assert(packed.size == 2 && bytes.size == 1)
      val numbers = buffer(bytes.head).asDoubleBuffer
      assert((numbers.get(0), numbers.get(2)) == ((1e300, 0.1)) && numbers.get(1).isNaN)
    }
  }

  test("packed numbers become the same array again") {
    val table = stored(local(Seq(Some(long), Some(Seq.empty), None), FloatType))
    val again =
      table.select(PackedNumbers.unpackFloats(PackedNumbers.pack(col("numbers"), FloatType)))
    val found = again.collect().toSeq.map(row => Option(row.getSeq[Float](0)))
    assert(found == Seq(Some(long), Some(Seq.empty), None))
  }

  test("an array is finite without NULL, NaN and infinite elements") {
    val wrong = Seq(absent, Float.NaN, Float.PositiveInfinity, Float.NegativeInfinity)
    val table = stored(local((wrong.map(long.updated(199, _)) :+ long).map(Some(_)), FloatType))
    val found = table.select(PackedNumbers.areFinite(col("numbers"))).collect().toSeq
    assert(found.map(_.getBoolean(0)) == Seq(false, false, false, false, true))
  }

  private def local(rows: Seq[Option[Seq[Any]]], number: DataType): DataFrame =
    spark.createDataFrame(
      rows.map(row => Row(row.orNull)).asJava,
      new StructType().add("numbers", ArrayType(number)),
    )

  private def stored(table: DataFrame): DataFrame = {
    val folder = Files.createTempDirectory("packed").resolve("table").toString
    table.coalesce(1).write.parquet(folder)
    spark.read.parquet(folder)
  }

  private def floats(table: DataFrame): Seq[Seq[Float]] =
    table.select(PackedNumbers.pack(col("numbers"), FloatType)).collect().toSeq.map { row =>
      val numbers = buffer(row.getAs[Array[Byte]](0)).asFloatBuffer
      Seq.fill(numbers.remaining)(numbers.get())
    }

  private def buffer(bytes: Array[Byte]): ByteBuffer =
    ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder)
}
