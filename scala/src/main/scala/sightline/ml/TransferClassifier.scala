package sightline.ml

import java.nio.charset.StandardCharsets.UTF_8
import java.security.MessageDigest
import java.time.Instant
import java.util.HexFormat

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.Estimator
import org.apache.spark.ml.param.shared.{HasInputCol, HasLabelCol, HasOutputCol}
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{DefaultParamsReadable, DefaultParamsWritable, Identifiable}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.{BinaryType, StructField, StructType}
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.plan.StageInference
import sightline.report.{RunRecord, Stopwatch}
import sightline.source.{Columns, ImageRequest}
import sightline.train.{SampleSource, SplitShares, TrainOutput, Training}
import sightline.{LocalFiles, SightlineException}

/**
 * Fine-tunes a network on labelled images, as the command `train`. The fitted model predicts as
 * [[ImagePredictor]].
 *
 * Each fit has a run of its own in `output/fit-HASH`. The hash is that of the settings and of the
 * images' names and labels, so the fits of a `CrossValidator` do not meet.
 */
final class TransferClassifier(override val uid: String)
    extends Estimator[TransferClassifierModel]
    with TransferParams
    with HasInputCol
    with HasLabelCol
    with HasOutputCol
    with HasTopK
    with DefaultParamsWritable {

  import TransferClassifier.{Found, Record}

  def this() = this(Identifiable.randomUID("transferClassifier"))

  setDefault(inputCol -> Columns.Content, outputCol -> Columns.Prediction)

  def setInputCol(value: String): this.type = set(inputCol, value)
  def setLabelCol(value: String): this.type = set(labelCol, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)

  override def transformSchema(schema: StructType): StructType = AnalysisErrors.analysed {
    val table = StageSchema(SparkSession.active, schema)
    columns(table): Unit
    trainSettings: Unit
    shares: Unit
    if (!isSet(output)) throw wrong(output, "is not set. Name the folder or URI of the runs.")
    withAdded(table, Seq(outputCol.name -> StructField($(outputCol), Columns.PredictionType)))
  }

  /**
   * Trains the network and makes a model of its best checkpoint.
   *
   * @throws org.apache.spark.sql.AnalysisException NO_LABELS, NO_IMAGES, OUTPUT_EXISTS without
   *   `resume`, those of the schema, and those of the command `train`
   */
  override def fit(dataset: Dataset[?]): TransferClassifierModel = {
    transformSchema(dataset.schema, logging = true): Unit
    AnalysisErrors.analysed(fitted(dataset.toDF()))
  }

  private def fitted(frame: DataFrame): TransferClassifierModel = {
    val spark = frame.sparkSession
    val hadoop = spark.sessionState.newHadoopConf()
    val of = columns(StageSchema(spark, frame.schema))
    val images = LabelledImages.of(stageName, frame, of.image, of.label, of.path, of.group)
    val root = new Path($(output))
    val fs = root.getFileSystem(hadoop)
    // A run of the command is no folder of runs.
    if (fs.exists(new Path(root, TrainOutput.SettingsFile))) {
      throw SightlineException("OUTPUT_EXISTS", "output" -> $(output))
    }
    val folder = fs.makeQualified(new Path(root, s"fit-${identity(images)}"))
    val isRun = $(resume) && fs.exists(new Path(folder, TrainOutput.SettingsFile))
    val record = if (isRun) RunRecord.read(new Path(folder, Record), hadoop) else JNothing
    (record \ "model" \ "model", record \ "model" \ "sha256") match {
      case (JString(bundle), JString(sha256)) => made(spark, folder, bundle, sha256)
      case _ =>
        val started = Instant.now
        val watch = new Stopwatch(started)
        training(images, folder, isRun).run(spark, watch)(()) { trained =>
          RunRecord.write(
            RunRecord(spark, stageName, started, Nil, watch.seconds, trained.record),
            new Path(trained.folder, Record),
            hadoop,
          )
          implicit val formats: Formats = DefaultFormats
          made(spark, trained.folder, trained.bundle, (trained.made \ "sha256").extract[String])
        }
    }
  }

  private def made(
      spark: SparkSession,
      folder: Path,
      bundle: String,
      sha256: String,
  ): TransferClassifierModel = {
    val model = new TransferClassifierModel(uid, LocalFiles.shown(folder)).setParent(this)
    // Not the Params of the training that have the names of the model's: device and precision.
    Seq[Param[?]](inputCol, outputCol, topK, handleInvalid, errorCol).foreach { param =>
      get(param.asInstanceOf[Param[Any]]).foreach { value =>
        model.set(model.getParam(param.name).asInstanceOf[Param[Any]], value)
      }
    }
    model.setModel(bundle).setModelSha256(sha256): Unit
    // The model stays if the folder of the run is removed.
    StageInference.keep(model.wanted, StageInference.find(spark, model.wanted))
    model
  }

  private def training(images: LabelledImages, folder: Path, isRun: Boolean): Training =
    Training(
      source = SampleSource(
        ImageRequest(s"the table of $stageName", maxImageBytes = $(maxImageBytes)),
        shares,
        groupColumn = get(groupCol).map(_ => LabelledImages.Group),
        classNames = images.labels,
        maxErrorRate = $(maxErrorRate),
        frame = Some(images.input),
      ),
      settings = trainSettings,
      seed = $(seed),
      output = folder.toString,
      // A run that was killed before its first file is begun again.
      start =
        if (isRun) TrainOutput.Resume
        else if ($(resume)) TrainOutput.Replace
        else TrainOutput.New,
      checkpoints = None,
      cache = $(cache),
      cacheBytes = ($(cacheGb) * 1e9).toLong,
      workers = $(workers),
      threads = get(threads),
      device = $(device),
      model = get(modelName).getOrElse(new Path($(output)).getName),
      tensorboard = None,
      // JSON is YAML.
      saved = JsonMethods.pretty(
        trainSettings ~ ("split" -> $(split)) ~ ("workers" -> $(workers))
      ) + "\n",
      access = JObject("credentials" -> JString("auto")),
    )

  /** What distinguishes the runs below one output. */
  private def identity(images: LabelledImages): String = {
    val others = Set("keep", "checkpoint_every", "checkpoint_batches")
    val named = trainSettings.removeField { case (name, _) => others(name) }
    val text = JsonMethods.compact(
      ("settings" -> named) ~ ("split" -> $(split)) ~ ("labels" -> images.labels) ~
        ("images" -> images.hash) ~ ("max_image_bytes" -> $(maxImageBytes)) ~
        ("max_error_rate" -> $(maxErrorRate))
    )
    val digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8))
    HexFormat.of.formatHex(digest).take(16)
  }

  private def shares: SplitShares = {
    val shares = SplitShares.parse($(split))
    if (shares.byFolders) throw wrong(split, "must be three shares, because rows have no folders.")
    shares
  }

  private def columns(table: StageSchema): Found = {
    val image = table.column(stageName, $(inputCol))
    if (image.dataType != BinaryType) throw ImageParams.wrongType(stageName, image)
    val label = table.column(stageName, $(labelCol), "Set labelCol to the column of labels.")
    LabelIndex.require(stageName, label)
    Found(
      image,
      label,
      get(pathCol).map(table.column(stageName, _, "Set pathCol to the column of names.")),
      get(groupCol).map(table.column(stageName, _, "Set groupCol to the column of groups.")),
    )
  }

  override def copy(extra: ParamMap): TransferClassifier = defaultCopy(extra)
}

object TransferClassifier extends DefaultParamsReadable[TransferClassifier] {

  private val Record = "run.json"

  final private case class Found(
      image: StructField,
      label: StructField,
      path: Option[StructField],
      group: Option[StructField],
  )

  override def load(path: String): TransferClassifier = super.load(path)
}
