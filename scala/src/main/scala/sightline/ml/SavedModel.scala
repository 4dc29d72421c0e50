package sightline.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.sightline.StageFiles
import org.apache.spark.ml.util.{MLReader, MLWriter}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.AnalysisErrors
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.plan.StageInference
import sightline.plan.StageInference.Wanted

/**
 * Writes a stage as MLlib writes its own, and the model beside it:
 *
 * {{{
 * PATH/metadata/          class, uid and Params, and the model's name, version and sha256
 * PATH/model/NAME.zip     a copy of the model, unless modelCopy is false
 * }}}
 *
 * @param more writes what else belongs to the stage, below the path
 * @param extra more fields of the metadata
 */
final private[ml] class StageWriter(
    stage: ModelParams,
    extra: JObject = JObject(),
    more: (SparkSession, String) => Unit = (_, _) => (),
) extends MLWriter {

  override def save(path: String): Unit = AnalysisErrors.analysed {
    // Found before an earlier stage at this path is removed.
    StageInference.find(sparkSession, stage.wanted): Unit
    super.save(path)
  }

  override protected def saveImpl(path: String): Unit = {
    val spark = sparkSession
    val found = StageInference.find(spark, stage.wanted)
    val bundle = found.bundle
    val name = bundle.manifest.name
    val copy = Option.when(stage.getModelCopy)(s"${SavedModel.Folder}/$name.zip")
    val saved = stage.copy(ParamMap(stage.modelSha256 -> bundle.sha256))
    val about = SavedModel.Field ->
      (("name" -> name) ~ ("version" -> found.version) ~ ("sha256" -> bundle.sha256) ~
        ("options" -> found.options) ~ ("copy" -> copy))
    StageFiles.write(saved, path, spark, extra ~ about)
    copy.foreach { file =>
      val target = new Path(path, file)
      val zip = bundle.zip()
      target
        .getFileSystem(spark.sessionState.newHadoopConf())
        .copyFromLocalFile(true, true, new Path(zip.toUri), target)
    }
    more(spark, path)
  }
}

/** A saved stage that is being read. */
final private[ml] case class SavedStage(
    uid: String,
    spark: SparkSession,
    path: String,
    metadata: JValue,
)

/**
 * Reads a stage that [[StageWriter]] wrote, from wherever its folder is now.
 *
 * @param create creates the stage, whose Params are then set
 */
final private[ml] class StageReader[S <: ModelParams](stage: Class[S], create: SavedStage => S)
    extends MLReader[S] {

  /** @throws org.apache.spark.sql.AnalysisException MODEL_CHANGED, among others */
  override def load(path: String): S = AnalysisErrors.analysed {
    val spark = sparkSession
    val (read, metadata) = StageFiles.read(path, spark, stage) { (uid, metadata) =>
      create(SavedStage(uid, spark, path, metadata))
    }
    SavedModel.open(spark, read, path, metadata)
    read
  }
}

private[ml] object SavedModel {
  val Folder = "model"
  val Field = "sightline"

  /** Opens the model of a stage that has been read, and checks that it is the saved one. */
  def open(spark: SparkSession, stage: ModelParams, path: String, metadata: JValue): Unit = {
    implicit val formats: Formats = DefaultFormats
    val about = metadata \ Field
    val wanted = Wanted(stage.uid, stage.getModel, Some((about \ "sha256").extract[String]))
    (about \ "copy").extractOpt[String].foreach { copy =>
      StageInference.open(
        spark,
        wanted,
        (about \ "name").extract[String],
        new Path(path, copy).toString,
        (about \ "version").extractOpt[Int],
        (about \ "options").extractOrElse(Map.empty[String, String]),
      )
    }
    StageInference.find(spark, wanted): Unit
  }
}
