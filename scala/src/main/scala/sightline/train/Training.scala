package sightline.train

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.JsonDSL.*

import sightline.report.{RunRecord, StageWithProgress, Stopwatch}
import sightline.source.ErrorCode
import sightline.{LocalFiles, SightlineException}

/**
 * A training run with checked settings. The command `train` and the estimator `TransferClassifier`
 * run it.
 *
 * @param settings the fields of `TrainSettings` in Python
 * @param seed of the draw of the parts
 * @param output the folder of the run, a path or URI
 * @param checkpoints the folder of the checkpoints; None: in the output
 * @param cache the folder on each node for copies of remote samples
 * @param threads the threads of each worker; None: by Spark's settings
 * @param device `auto`, `cpu` or `cuda`
 * @param model the name of the model
 * @param tensorboard the folder of TensorBoard's files; `auto`: in the output; None: no files
 * @param saved the text of `train.yaml`
 * @param access how Python reaches an object store: the fields of `StoreAccess`
 */
final case class Training(
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
    tensorboard: Option[String],
    saved: String,
    access: JObject,
) {

  implicit private val formats: Formats = DefaultFormats

  /**
   * Checks, prepares the samples, trains, evaluates and makes the model.
   *
   * @param more checks of the caller, which run before the costly ones
   * @param use uses the result while this process still owns the run's folder
   * @throws SightlineException those of [[TrainOutput.check]], [[TrainOutput.held]],
   *   [[WorkerSlots.require]], [[SampleTable.open]], [[SampleShards.index]], [[BarrierTraining.run]]
   *   and of Python's steps
   */
  def run[A](spark: SparkSession, watch: Stopwatch)(more: => Unit)(use: Trained => A): A = {
    val folder = new TrainOutput(output, start, spark.sessionState.newHadoopConf())
    folder.check(Option.when(source.frame.isEmpty)(source.images))
    folder.held(owner => use(trained(spark, folder, owner, watch)(more)))
  }

  private def trained(
      spark: SparkSession,
      folder: TrainOutput,
      owner: String,
      watch: Stopwatch,
  )(more: => Unit): Trained = {
    val hadoop = spark.sessionState.newHadoopConf()
    val python = new TrainPython(spark)
    val saves = qualified(checkpoints.getOrElse(s"${folder.text}/checkpoints"), hadoop)
    val boardFolder = tensorboard.fold("")(curves(folder, _, hadoop))
    val checked = watch("preflight") {
      more
      WorkerSlots.require(spark.sparkContext, workers)
      val precision = (settings \ "precision").extract[String]
      WorkerSlots.requirePrecision(spark.sparkContext, precision, device)
      python.checkPackages(if (tensorboard.isDefined) Seq("tensorboard") else Nil)
      python.step(
        "check",
        ("settings" -> settings) ~
          ("name" -> model) ~
          ("output" -> folder.text) ~
          ("checkpoints" -> LocalFiles.shown(saves)) ~
          ("tensorboard" -> boardFolder) ~
          ("resumed" -> (start == TrainOutput.Resume)) ~
          ("access" -> access),
      )
    }
    val resolved = (checked \ "settings").extract[JObject]
    if (start == TrainOutput.Resume && folder.hasSamples) folder.open(saved)
    else prepare(spark, python, folder, resolved, watch)
    val index = RunRecord.read(new Path(s"${folder.samples}/${SampleShards.Index}"), hadoop)
    val common = ("settings" -> resolved) ~
      ("access" -> access) ~
      ("checkpoints" -> LocalFiles.shown(saves)) ~
      ("cache" -> cache) ~
      ("cache_bytes" -> cacheBytes) ~
      ("owner" -> owner)
    val own = threads.getOrElse(WorkerSlots.threads(spark.sparkContext, workers))
    val task = common ~
      ("samples" -> folder.samples) ~
      ("start" -> (checked \ "start")) ~
      ("tensorboard" -> boardFolder) ~
      ("threads" -> own) ~
      ("run" -> folder.text)
    val training = new BarrierTraining(spark, python, workers, saves, hadoop)
    val progress = new TrainProgress(saves, hadoop, System.err)
    val history =
      try {
        val history = watch("train")(training.run(task, device))
        progress.stop(history)
        history
      } catch {
        case error: Throwable => // also the interrupt of a job that is cancelled
          progress.stop(Nil)
          throw error
      }
    val made = watch("model") {
      python.step(
        "finish",
        common ~
          ("name" -> model) ~
          ("output" -> folder.text) ~
          ("threads" -> threads.getOrElse(Runtime.getRuntime.availableProcessors)) ~
          ("history" -> JArray(history.toList)),
      )
    }
    Trained(folder.path, index, resolved, workers, own, history, made)
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

  private def qualified(location: String, hadoop: Configuration): Path = {
    val path = new Path(location)
    path.getFileSystem(hadoop).makeQualified(path)
  }
}
