package org.apache.spark.sql.sightline

import java.io.ByteArrayOutputStream
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.{ByteBuffer, ByteOrder}

import org.apache.spark.sql.types.DataType

/**
 * The command of a Python worker: a pickle of `(factory(spec), type)`.
 *
 * It consists of fixed opcodes, a reference to a factory and two JSON texts. It contains no code and no
 * pickled value of a user; the worker imports the factory by name.
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
   * Creates a command.
   *
   * @param module the factory's Python module, such as `sightline.worker.spark_worker`
   * @param factory the name of a function that takes `spec` and returns the worker's function
   * @param spec JSON text
   * @param returnType the result type of the worker's function; Spark 4.1 reads it also for mapInArrow
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
    // GLOBAL ends names with newlines, so a newline in a name could inject opcodes.
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
