package sightline

import java.io.ByteArrayInputStream
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Path, Paths}

import scala.sys.process.Process

/** The Python interpreter of the tests, and the repository's Python sources. */
object TestPython {

  /** `.venv/bin/python`, from a setting of the build. */
  val executable: String = sys.props("spark.pyspark.python")

  /** The repository: tests run in its root. */
  val root: Path = Paths.get("").toAbsolutePath

  /** The output of `program` for `input`. */
  def run(program: String, input: Array[Byte] = Array.empty, arguments: Seq[String] = Nil): String =
    Process(
      Seq(executable, "-c", program) ++ arguments,
      None,
      "PYTHONPATH" -> root.resolve("python/src").toString,
      "PYTHONIOENCODING" -> "utf-8",
    ).#<(new ByteArrayInputStream(input)).!!.trim

  /** Text as Python source: an ASCII string literal. */
  def literal(text: String): String =
    text
      .getBytes(UTF_8)
      .map(byte => f"\\x${byte & 0xff}%02x")
      .mkString("b'", "", "'.decode('utf-8')")
}
