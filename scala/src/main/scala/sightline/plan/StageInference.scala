package sightline.plan

import scala.collection.concurrent.TrieMap

import org.apache.spark.sql.catalyst.analysis.AnalysisContext
import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, AttributeReference}
import org.apache.spark.sql.catalyst.plans.logical.Project
import org.apache.spark.sql.sightline.PlanFrame
import org.apache.spark.sql.types.StructField
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.SightlineException
import sightline.model.{FoundModel, ModelInput, ResultType}
import sightline.schedule.Inference

/** Models and model calls of the Spark ML stages. */
object StageInference {

  /**
   * The model that a stage needs.
   *
   * @param stage the stage's uid
   * @param model a name, `name@version`, or a bundle's path or URI
   * @param sha256 the hash that the model must have; None: any
   */
  final case class Wanted(stage: String, model: String, sha256: Option[String])

  // The models of loaded and fitted stages: a stage keeps its model if its folder is removed.
  private val kept = TrieMap.empty[Wanted, FoundModel]

  /**
   * The model of a stage, with its settings.
   *
   * @param options the stage's options; they override the model's, which override the session's
   * @throws SightlineException MISSING_EXTENSIONS, MODEL_CHANGED, and those of [[SessionModels.of]]
   */
  def model(
      spark: SparkSession,
      wanted: Wanted,
      options: CallOptions => CallOptions,
  ): SessionModel = {
    if (!spark.sessionState.planNormalizationRules.exists(_.isInstanceOf[ExtractInference])) {
      throw SightlineException("MISSING_EXTENSIONS", "subject" -> wanted.stage)
    }
    // A stage is not part of a query that is being analysed: it uses the newest version of a model.
    AnalysisContext.withNewAnalysisContext {
      SessionModels.of(spark, wanted.model, options, find(spark, wanted))
    }
  }

  /**
   * The model of a stage, without a check of its settings.
   *
   * @throws SightlineException MODEL_CHANGED, and those of [[SessionModels.find]]
   */
  def find(spark: SparkSession, wanted: Wanted): FoundModel =
    kept.getOrElse(wanted, same(wanted, SessionModels.find(spark, wanted.model), wanted.model))

  /** Keeps a model for a stage, which uses it whatever the model's name refers to later. */
  def keep(wanted: Wanted, found: FoundModel): Unit = kept.put(wanted, found): Unit

  /**
   * Opens the copy of a model in the folder of a saved stage, and keeps it for this stage.
   *
   * @param name the model's name when the stage was saved
   * @param uri the copy, a zip
   * @param version the model's version, and `options` its OPTIONS, when the stage was saved
   * @throws SightlineException MODEL_CHANGED if the copy is not the model that was saved
   */
  def open(
      spark: SparkSession,
      wanted: Wanted,
      name: String,
      uri: String,
      version: Option[Int],
      options: Map[String, String],
  ): Unit = {
    val copy =
      try same(wanted, SessionModels.find(spark, uri), uri)
      catch {
        case error: SightlineException if Set("BUNDLE_CORRUPT", "INVALID_BUNDLE")(error.code) =>
          val expected = s"sha256 ${wanted.sha256.getOrElse("")}"
          throw changed(s"model '$name' of ${wanted.stage}, $expected, in $uri: ${error.detail}")
      }
    keep(wanted, FoundModel(copy.bundle, version, options))
  }

  private def same(wanted: Wanted, found: FoundModel, at: String): FoundModel = {
    val sha256 = found.bundle.sha256
    wanted.sha256.filter(_ != sha256).foreach { expected =>
      val name = found.bundle.manifest.name
      throw changed(s"model '$name' in $at has sha256 $sha256, but ${wanted.stage} needs $expected")
    }
    found
  }

  private def changed(what: String): SightlineException =
    SightlineException("MODEL_CHANGED", "detail" -> s"$what.")

  /**
   * Checks that a column can be an input of a model.
   *
   * @throws SightlineException WRONG_COLUMN_TYPE
   */
  def requireInput(
      stage: String,
      inference: Inference,
      input: ModelInput,
      column: StructField,
  ): Unit = {
    val value = AttributeReference(column.name, column.dataType, column.nullable)()
    ModelInputs.one(stage, input, value, column.name, inference.settings.casts): Unit
  }

  /**
   * The frame's columns and the model's answer, a struct of the result's fields and `error`. It is
   * NULL in a row whose inputs are all NULL.
   *
   * @param stage the name of the stage, for EXPLAIN
   * @param inputs the names of the columns for the inputs, in the order of the model's signature;
   *   each name occurs once in the frame
   * @param answer the name of the added column
   */
  def answered(
      frame: DataFrame,
      stage: String,
      inference: Inference,
      result: ResultType,
      inputs: Seq[String],
      answer: String,
  ): DataFrame = {
    val plan = PlanFrame.plan(frame)
    val values = inputs.zip(inference.bundle.signature.inputs).map { case (name, input) =>
      ModelInputs.one(stage, input, column(plan.output, name), name, inference.settings.casts)
    }
    val call = InferenceCall(stage, inference, result, values)
    PlanFrame(frame.sparkSession, Project(plan.output :+ Alias(call, answer)(), plan))
  }

  private def column(columns: Seq[Attribute], name: String): Attribute =
    columns.find(_.name == name).getOrElse(throw new NoSuchElementException(name))
}
