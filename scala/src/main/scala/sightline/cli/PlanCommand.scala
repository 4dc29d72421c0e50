package sightline.cli

import mainargs.{ParserForClass, arg, main}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.Executors

import sightline.estimate.{Advice, EstimateReport, NodePrice, RunEstimate, SampleRun}
import sightline.model.{BundleCatalog, ResultType}
import sightline.report.Stopwatch
import sightline.schedule.{Inference, ResourceSettings}
import sightline.source.ImageInput
import sightline.{OptionValue, SightlineException}

/** `plan`: the time and price of a run of `predict`, from a measured sample. */
object PlanCommand extends Command {

  @main
  final case class Options(
      images: ImageOptions,
      @arg(doc = "Model: a name such as id_fraud, or the path of a bundle's folder or zip")
      model: String,
      @arg(doc = "Number of labels in each prediction (default 5)")
      topK: Int = ResultType.DefaultTopK,
      @arg(doc = "Number of images to measure (default 200); at least 8 for each parallel task")
      sample: Int = 200,
      @arg(doc = "Seed of the sample (default 0)")
      seed: Long = 0L,
      @arg(doc = "Cores of another cluster to estimate (default: 8, 32 and 128)")
      cores: Option[Int] = None,
      @arg(doc = "Price of a node for an hour")
      pricePerHour: Option[Double] = None,
      @arg(doc = "With --price-per-hour: cores of a node (default: those of an executor here)")
      nodeCores: Option[Int] = None,
      @arg(doc = "Print JSON")
      json: mainargs.Flag = mainargs.Flag(),
      inference: InferenceOptions,
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]
  private val OtherCores = Seq(8, 32, 128)

  override val name: String = "plan"
  override val summary: String =
    "measure a sample of images and estimate the time and price of predict"
  override val example: String = "--images photos/ --model id_fraud --price-per-hour 0.5"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    OptionValue.atLeast("--top-k", options.topK, 1): Unit
    OptionValue.atLeast("--sample", options.sample, 1): Unit
    Command.nonEmpty("--model", options.model): Unit
    options.cores.foreach(OptionValue.atLeast("--cores", _, 1))
    options.nodeCores.foreach(OptionValue.atLeast("--node-cores", _, 1))
    options.pricePerHour.filterNot(price => price >= 0 && !price.isInfinite).foreach { price =>
      throw OptionValue.invalid("--price-per-hour", price, "It must be a number of at least 0.")
    }
    if (options.nodeCores.isDefined && options.pricePerHour.isEmpty) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> name,
        "reason" -> "--node-cores has no effect without --price-per-hour.",
      )
    }
    val settings = options.inference.settings
    val reading = options.inference.images
    val request = options.images.request(reading.maxBytes)
    options.cloud(this) { invocation =>
      val spark = invocation.spark
      val watch = new Stopwatch(invocation.started)
      val catalog =
        new BundleCatalog(options.inference.models, spark.sessionState.newHadoopConf())
      val bundle =
        watch("model")(catalog.find(options.model).bundle.requireImage().requireClasses())
      val input = watch("list")(ImageInput.open(spark, request))
      val inference = Inference(bundle, settings, reading)
      watch("preflight") {
        inference.check(spark)
        inference.ship(spark): Unit
      }
      val start = watch.seconds
      val result = ResultType.prediction(bundle.signature, options.topK)
      val sample = input.sample.getOrElse(throw new IllegalStateException("no sample"))
      val measured = new SampleRun(spark, name, inference, result, sample)
        .measure(options.sample, input.count, options.seed)
      val estimate = RunEstimate(
        input.count,
        input.bytes,
        measured,
        start.map(_._2).sum,
        inference.threads(spark),
      )
      val report = reportOf(spark, options, inference, estimate, start)
      println(if (options.json.value) report.json else report.text)
    }
  }

  private def reportOf(
      spark: SparkSession,
      options: Options,
      inference: Inference,
      estimate: RunEstimate,
      start: Seq[(String, Double)],
  ): EstimateReport = {
    val resources = new ResourceSettings(spark.sparkContext.getConf)
    val executors = Executors.of(spark.sparkContext)
    val executorCores = resources.executorCores
      .orElse(executors.headOption.map(_.cores))
      .getOrElse(estimate.ownCores)
    val gpuShare = inference.gpusOfTask(spark)
    val coresPerGpu =
      Option.when(resources.executorGpus > 0)((executorCores / resources.executorGpus).toInt)
    EstimateReport(
      estimate,
      start,
      estimate.measured.bottleneck(gpuShare > 0 || inference.settings.device == "cuda"),
      Advice.of(estimate, inference, gpuShare, coresPerGpu),
      executors.size,
      (estimate.ownCores +: options.cores.fold(OtherCores)(Seq(_))).distinct,
      options.pricePerHour.map(NodePrice(_, options.nodeCores.getOrElse(executorCores))),
    )
  }
}
