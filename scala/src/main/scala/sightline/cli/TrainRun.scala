package sightline.cli

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.model.{BundleCatalog, ModelRegistry}
import sightline.plan.SessionModels
import sightline.report.{LocalRun, RunRecord, Stopwatch, Tracking}
import sightline.source.ErrorCode
import sightline.train.{
  BarrierTraining,
  SampleShards,
  SampleSource,
  SampleTable,
  TrainOutput,
  TrainProgress,
  TrainPython,
  WorkerSlots,
}
import sightline.{LocalFiles, SightlineException}

/**
 * A run of `train` with checked options.
 *
 * @param settings the fields of `TrainSettings` in Python
 * @param checkpoints the folder of the checkpoints; None: in the output
 * @param cache the folder on each node for copies of remote samples
 * @param threads the threads of each worker; None: by Spark's settings
 * @param model the name of the model
 * @param register the name in the models root; None: the model stays in the output
 * @param models the models root; None: the session's
 * @param tensorboard the folder of TensorBoard's files; `auto`: in the output; None: no files
 * @param tracking the server to log the run to; None: the run is not logged
 * @param saved the text of `train.yaml`
 * @param access how Python reaches an object store: the fields of `StoreAccess`
 */
final case class TrainRun(
    source: SampleSource,
    settings: JObject,
    seed: Long,
    output: String,
    start: TrainOutput.Start,
    checkpoints: Option[String],
    cache: String,
    cacheBytes: Long,
    workers: Int,
    threads: Option[Int],
    device: String,
    model: String,
    register: Option[String],
    models: Option[String],
    tensorboard: Option[String],
    tracking: Option[Tracking],
    saved: String,
    access: JObject,
) {

  implicit private val formats: Formats = DefaultFormats

  /** Checks, prepares the samples, trains, makes the model and registers it. */
  def run(invocation: Invocation): Unit = {
    val folder = new TrainOutput(output, start, invocation.spark.sessionState.newHadoopConf())
    folder.check(source.images)
    folder.held(train(invocation, folder))
  }

  private def train(invocation: Invocation, folder: TrainOutput): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch(invocation.started)
    val python = new TrainPython(spark)
    val checkpointsPath = qualified(checkpoints.getOrElse(s"${folder.text}/checkpoints"), hadoop)
    val registry = register.map(name => prepared(SessionModels.registry(spark, models), name))
    val checked = watch("preflight") {
      WorkerSlots.require(spark.sparkContext, workers)
      val precision = (settings \ "precision").extract[String]
      WorkerSlots.requirePrecision(spark.sparkContext, precision, device)
      python.checkPackages(if (tensorboard.isDefined) Seq("tensorboard") else Nil)
      tracking.foreach(_.check(spark))
      python.step(
        "check",
        ("settings" -> settings) ~
          ("name" -> model) ~
          ("output" -> folder.text) ~
          ("checkpoints" -> LocalFiles.shown(checkpointsPath)) ~
          ("resumed" -> (start == TrainOutput.Resume)) ~
          ("access" -> access),
      )
    }
    val resolved = (checked \ "settings").extract[JObject]
    if (start == TrainOutput.Resume && folder.hasSamples) folder.open(saved)
    else prepare(spark, python, folder, resolved, watch)
    val index =
      RunRecord.read(new Path(s"${folder.samples}/${SampleShards.Index}"), hadoop)
    val local = ("cache" -> cache) ~ ("cache_bytes" -> cacheBytes)
    val common = ("settings" -> resolved) ~ ("access" -> access) ~
      ("checkpoints" -> LocalFiles.shown(checkpointsPath))
    val own = threads.getOrElse(WorkerSlots.threads(spark.sparkContext, workers))
    val task = common ~ local ~
      ("samples" -> folder.samples) ~
      ("start" -> (checked \ "start")) ~
      ("tensorboard" -> tensorboard.fold("")(curves(folder, _, hadoop))) ~
      ("threads" -> own)
    val training = new BarrierTraining(spark, python, workers, checkpointsPath, hadoop)
    val progress = new TrainProgress(checkpointsPath, hadoop, System.err)
    val trained = Try(watch("train")(training.run(task, device)))
    progress.stop(trained.getOrElse(Nil))
    val history = trained.get
    val made = watch("model") {
      python.step(
        "finish",
        common ~ local ~
          ("name" -> model) ~
          ("output" -> folder.text) ~
          ("threads" -> threads.getOrElse(Runtime.getRuntime.availableProcessors)) ~
          ("history" -> JArray(history.toList)),
      )
    }
    val bundle = (made \ "model").extract[String]
    val version = for {
      name <- register
      models <- registry
    } yield watch("register") {
      // `finish` has compared the model's backends on its golden images, as CREATE MODEL does.
      val found = new BundleCatalog(None, hadoop).find(bundle).bundle
      val (_, created) = models.create(name, found, bundle, None, Map.empty, replaces = true)
      created.number
    }
    val summary = TrainSummary(index, made, bundle, output, watch, register.zip(version))
    RunRecord.write(
      RunRecord(
        spark,
        TrainCommand.name,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        ("workers" -> workers) ~
          ("threads" -> own) ~
          ("settings" -> resolved) ~
          ("counts" -> summary.counts) ~
          ("left_out" -> (index \ "left_out")) ~
          ("model" -> made) ~
          ("registered" -> register.zip(version).map { case (name, number) =>
            ("name" -> name) ~ ("version" -> number)
          }) ~
          ("history" -> JArray(history.toList)),
      ),
      new Path(folder.path, "run.json"),
      hadoop,
    )
    println(summary.text)
    tracking.foreach { server =>
      LocalRun(folder.path, hadoop, TrainRun.Tracked, made = Nil) { local =>
        println(server.log(spark, local, output).trim)
      }
    }
  }

  private def prepare(
      spark: SparkSession,
      python: TrainPython,
      folder: TrainOutput,
      resolved: JObject,
      watch: Stopwatch,
  ): Unit = {
    val request = source.images.copy(replaces = folder.replaces)
    val table =
      try watch("list")(SampleTable.open(spark, source.copy(images = request), seed))
      catch {
        case error: SightlineException =>
          folder.discard()
          throw error
      }
    try {
      folder.open(saved)
      val rows = SampleShards.sorted(spark, table, source)
      val total = table.input.count
      val events =
        StageWithProgress(spark, watch, "prepare", total, rows, ErrorCode.all, "images") {
          SampleShards.write(python, _, source, resolved, folder.samples, access)
        }
      watch("index")(SampleShards.index(python, events, table, source, folder.samples, access))
    } finally table.close()
  }

  private def curves(folder: TrainOutput, place: String, hadoop: Configuration): String =
    if (place == "auto") folder.tensorboard else LocalFiles.shown(qualified(place, hadoop))

  private def prepared(registry: ModelRegistry, name: String): ModelRegistry = {
    registry.prepare(name)
    registry
  }

  private def qualified(location: String, hadoop: Configuration): Path = {
    val path = new Path(location)
    path.getFileSystem(hadoop).makeQualified(path)
  }
}

object TrainRun {

  /** Files and folders that are logged to a tracking server. */
  private val Tracked = Seq(
    TrainOutput.SettingsFile,
    "history.json",
    "evaluation.json",
    "report.html",
    "model_card.md",
    "models",
  )
}
