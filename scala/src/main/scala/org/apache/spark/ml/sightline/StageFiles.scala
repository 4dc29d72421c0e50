package org.apache.spark.ml.sightline

import org.apache.spark.ml.param.Params
import org.apache.spark.ml.util.{DefaultParamsReader, DefaultParamsWriter}
import org.apache.spark.sql.SparkSession
import org.json4s.{JObject, JValue}

/** The metadata of saved stages in MLlib's format; its reader and writer are private to MLlib. */
object StageFiles {

  /**
   * Writes class, uid and Params of a stage to `path/metadata`.
   *
   * @param extra more fields of the metadata
   */
  def write(stage: Params, path: String, spark: SparkSession, extra: JObject): Unit =
    DefaultParamsWriter.saveMetadata(stage, path, spark, Some(extra))

  /**
   * Reads a stage and sets its Params.
   *
   * @param create creates the stage from its uid and metadata
   * @return the stage, and its metadata
   * @throws IllegalArgumentException if `path` holds a stage of another class
   */
  def read[S <: Params](path: String, spark: SparkSession, stage: Class[S])(
      create: (String, JValue) => S
  ): (S, JValue) = {
    val metadata = DefaultParamsReader.loadMetadata(path, spark, stage.getName)
    val created = create(metadata.uid, metadata.metadata)
    metadata.getAndSetParams(created)
    (created, metadata.metadata)
  }
}
