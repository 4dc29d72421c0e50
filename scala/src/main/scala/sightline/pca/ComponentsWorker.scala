package sightline.pca

import java.nio.{ByteBuffer, ByteOrder}
import java.util.Base64

import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sightline.{ArrowMap, PackedNumbers}
import org.apache.spark.sql.types.{BinaryType, StructType}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.json4s.JObject
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.schedule.{ExecutorProbe, Interpreter, Preflight, WorkerFunction}
import sightline.source.Columns

/** The functions of `pca` in the Python workers (`sightline.worker.components_worker`). */
object ComponentsWorker {

  /**
   * Checks that the interpreters of the driver and of the executors have the packages for `pca`.
   *
   * @throws sightline.SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH, MISSING_PACKAGE and
   *   others of [[Preflight]]
   */
  def check(spark: SparkSession): Unit = {
    val context = spark.sparkContext
    Preflight.requireBuildSpark(context.version)
    val found = Preflight.requirePackages(
      Interpreter.ofDriver(context.getConf),
      context.version,
      Packages,
      purpose = "pca",
      hint =
        "Install it there, or set another interpreter by spark.pyspark.python or PYSPARK_PYTHON.",
    )
    ExecutorProbe.requireOnce(spark, Interpreter.of(context.getConf), found.python, Packages)
  }

  private val Packages = Seq("numpy", "pyarrow")

  /** The sums of the features of each partition; `length` is the number of features. */
  private[pca] def moments(features: DataFrame, length: Int, pieces: StructType): DataFrame = {
    val spec = ("vectors" -> Columns.Features) ~ ("features" -> length)
    map(features, "moments", spec, pieces)
  }

  /** The sums of each partition of sums, which are sorted. */
  private[pca] def merge(sums: DataFrame, pieces: StructType): DataFrame =
    map(sums, "merge", JObject(), pieces)

  /** The components of the sums in one partition, which are sorted. */
  private[pca] def solve(sums: DataFrame, k: Int, solution: StructType): DataFrame =
    map(sums, "solve", "k" -> k, solution)

  /**
   * The rows with a column `components`, array<float>, as the last one instead of `features`
   * and `error`. The worker drops these two: an operator of Spark would copy all other columns.
   *
   * @param rows their features are packed numbers
   * @param mean what is subtracted from the features
   * @param scale the factor of each feature
   * @param directions the components, one after the other
   */
  private[pca] def project(
      rows: DataFrame,
      mean: Array[Double],
      scale: Array[Double],
      directions: Array[Double],
  ): DataFrame = {
    val (dropped, kept) =
      rows.schema.partition(field => Seq(Columns.Features, Columns.Error).contains(field.name))
    val spec = ("vectors" -> Columns.Features) ~
      ("dropped" -> dropped.map(_.name)) ~
      ("components" -> Columns.Components) ~
      ("mean" -> base64(mean)) ~
      ("scale" -> base64(scale)) ~
      ("directions" -> base64(directions))
    val projected = map(rows, "project", spec, StructType(kept).add(Columns.Components, BinaryType))
    projected.withColumn(
      Columns.Components,
      PackedNumbers.unpackFloats(col(Columns.Components)),
    )
  }

  private def map(
      rows: DataFrame,
      factory: String,
      spec: JObject,
      output: StructType,
  ): DataFrame = {
    val text = JsonMethods.compact(spec)
    val worker =
      WorkerFunction(rows.sparkSession, "sightline.worker.components_worker", factory, text)
    ArrowMap(rows, worker, factory, output)
  }

  private def base64(numbers: Array[Double]): String = {
    val bytes = ByteBuffer.allocate(numbers.length * java.lang.Double.BYTES)
    bytes.order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer.put(numbers): Unit
    Base64.getEncoder.encodeToString(bytes.array)
  }
}
