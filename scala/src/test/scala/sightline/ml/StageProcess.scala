package sightline.ml

import java.lang.management.ManagementFactory

import scala.jdk.CollectionConverters.*
import scala.sys.process.Process

import org.apache.spark.ml.PipelineModel
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}

/**
 * Another process that loads a saved pipeline and runs it on the images of a folder: first without
 * Sightline's extensions, then with them.
 */
object StageProcess {

  /** What the process prints: a condition, and the rows. */
  def run(pipeline: String, images: String): Seq[String] = {
    val own = ManagementFactory.getRuntimeMXBean.getInputArguments.asScala.toSeq
    val java = s"${sys.props("java.home")}/bin/java"
    val classpath = Seq("-cp", sys.props("java.class.path"))
    Process(
      (java +: own) ++ classpath ++ Seq("-Xmx1g", "sightline.ml.StageProcess", pipeline, images)
    ).!!.linesIterator.filter(_.startsWith("> ")).map(_.drop(2)).toSeq
  }

  /** The rows of a pipeline's result as texts, without the bytes, sorted. */
  def rows(pipeline: PipelineModel, images: DataFrame): Seq[String] =
    pipeline
      .transform(images)
      .selectExpr("* EXCEPT (content, path, modification_time)")
      .collect()
      .map(_.toString)
      .toSeq
      .sorted

  def main(arguments: Array[String]): Unit = {
    val (pipeline, images) = (arguments(0), arguments(1))
    def session(settings: (String, String)*): SparkSession = settings
      .foldLeft(SparkSession.builder().master("local[2]")) { case (builder, (key, value)) =>
        builder.config(key, value)
      }
      .config("spark.ui.enabled", "false")
      .config("spark.log.level", "ERROR")
      .getOrCreate()
    def read(spark: SparkSession): DataFrame = spark.read.format("sightline").load(images)
    val without = session()
    try PipelineModel.load(pipeline).transform(read(without)).count(): Unit
    catch { case error: AnalysisException => println(s"> ${error.getMessage}") }
    without.stop()
    val spark = session("spark.sql.extensions" -> "sightline.sql.SightlineExtensions")
    rows(PipelineModel.load(pipeline), read(spark)).foreach(row => println(s"> $row"))
    spark.stop()
  }
}
