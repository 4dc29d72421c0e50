package org.apache.spark.sql.sightline

import java.io.ByteArrayOutputStream
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.{ByteBuffer, ByteOrder}

import org.apache.spark.sql.types.DataType

/**
 * The bytes that tell a Python worker which function to run: a pickle of `(factory(spec), type)`.
 *
 * It is written by fixed opcodes, a reference to a factory and two JSON texts, so no code and no
 * value of a user is ever pickled; the worker imports the factory by name.
 */
private[sightline] object PythonCommand {

  // Opcodes of pickle protocol 2 (Python's pickletools names them).
  private val Protocol2 = Array[Byte](0x80.toByte, 0x02)
  private val Global = 'c'
  private val BinUnicode = 'X'
  private val Tuple1 = 0x85
  private val Tuple2 = 0x86
  private val Reduce = 'R'
  private val Stop = '.'

  /**
   * @param module Python module of the factory, such as `sightline.worker.spark_worker`
   * @param factory name of a function that takes `spec` and gives the worker's function
   * @param spec JSON text
   * @param returnType what the worker's function gives; Spark 4.1 reads it even for mapInArrow
   */
  def apply(module: String, factory: String, spec: String, returnType: DataType): Array[Byte] = {
    val out = new ByteArrayOutputStream()
    out.write(Protocol2)
    call(out, module, factory, spec)
    call(out, "pyspark.sql.types", "_parse_datatype_json_string", returnType.json)
    out.write(Tuple2)
    out.write(Stop)
    out.toByteArray
  }

  private def call(
      out: ByteArrayOutputStream,
      module: String,
      function: String,
      text: String,
  ): Unit = {
    // GLOBAL ends names by newlines: one inside a name would let it write opcodes of its own.
    require(
      Seq(module, function).forall(_.matches("[A-Za-z_][A-Za-z0-9_.]*")),
      s"$module.$function",
    )
    val bytes = text.getBytes(UTF_8)
    out.write(Global)
    out.write(s"$module\n$function\n".getBytes(UTF_8))
    out.write(BinUnicode)
    out.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).array)
    out.write(bytes)
    out.write(Tuple1)
    out.write(Reduce)
  }
}
