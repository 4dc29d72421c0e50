package sightline.cli

import java.util.Locale

import mainargs.{Flag, ParserForClass, main}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.sightline.HadoopSettings

import sightline.schedule.InferenceSettings
import sightline.train.{LabelsFile, SampleSource, SplitShares, TrainOutput, Training}
import sightline.{OptionValue, SightlineException}

/** `train`: trains a classifier on labelled images with several workers, and makes a model of it. */
object TrainCommand extends Command {

  @main
  final case class Options(
      images: ImageOptions,
      samples: TrainSampleOptions,
      network: TrainNetworkOptions,
      steps: TrainStepOptions,
      run: TrainRunOptions,
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "train"
  override val summary: String =
    "train an image classifier, and make a model of its best checkpoint"
  override val example: String =
    "--images flowers/ --architecture mobilenet_v2 --freeze all-but-head --epochs 5 --workers 2 " +
      "--output flowers_run --register flowers"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val (run, cloud) = read(arguments)
    cloud(this)(run.run)
  }

  /** The run with checked options. */
  private[cli] def parse(arguments: Seq[String]): TrainRun = read(arguments)._1

  private def read(arguments: Seq[String]): (TrainRun, CloudOptions) = {
    val hadoop = HadoopSettings.beforeSession
    val options = Command.parse(parser, this, complete(arguments, hadoop))
    val (samples, run) = (options.samples, options.run)
    if (run.resume.value && run.overwrite.value) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> "--resume, --overwrite",
        "reason" -> "They exclude each other.",
      )
    }
    val output = Command.nonEmpty("--output", run.output)
    val training = Training(
      source = SampleSource(
        options.images.request(
          OptionValue.atLeast("--max-image-bytes", samples.maxImageBytes, 1L)
        ),
        SplitShares.parse(samples.split),
        samples.groupColumn,
        classes(samples.classes),
        samples.classNames.map(file => LabelsFile.read(new Path(file), hadoop)),
        Command.share("--max-error-rate", samples.maxErrorRate),
      ),
      settings = options.network.settings.merge(options.steps.settings).merge(run.settings),
      seed = options.steps.seed,
      output = output,
      start =
        if (run.resume.value) TrainOutput.Resume
        else if (run.overwrite.value) TrainOutput.Replace
        else TrainOutput.New,
      checkpoints = run.checkpoints.map(Command.nonEmpty("--checkpoints", _)),
      cache = Command.nonEmpty("--cache", run.cache),
      cacheBytes = (cacheGb(run.cacheGb) * 1e9).toLong,
      workers = OptionValue.atLeast("--workers", run.workers, 1),
      threads = run.threads.map(OptionValue.atLeast("--threads", _, 1)),
      device =
        OptionValue.oneOf("UNKNOWN_DEVICE", "--device", run.device, InferenceSettings.Devices),
      model = run.register.orElse(run.name).getOrElse(new Path(output).getName),
      tensorboard = run.tensorboard.map(Command.nonEmpty("--tensorboard", _)),
      saved = OptionsFile.text(saved(options)),
      access = options.cloud.access,
    )
    (TrainRun(training, run.register, run.models, run.tracking), options.cloud)
  }

  /** The words of the command line, and those of the files for options that it does not have. */
  private def complete(arguments: Seq[String], hadoop: Configuration): Seq[String] = {
    val typed = arguments.filter(_.startsWith("--")).map(_.drop(2).takeWhile(_ != '='))
    def value(option: String): Option[String] =
      arguments.zip(arguments.drop(1) :+ "").collectFirst {
        case (word, next) if word == s"--$option" => next
        case (word, _) if word.startsWith(s"--$option=") => word.drop(option.length + 3)
      }
    val config =
      value("config").toSeq.flatMap(file => OptionsFile.read(new Path(file), names, hadoop))
    def either(option: String): Option[String] =
      value(option).orElse(config.collectFirst { case (`option`, Seq(_, text)) => text })
    CloudOptions(either("cloud"), either("endpoint"), either("credentials"), either("region"))
      .configure(this, hadoop)
    val isResumed = typed.contains("resume") || config.contains("resume" -> Seq("--resume"))
    val output = value("output")
      .orElse(config.collectFirst { case ("output", Seq(_, folder)) => folder })
      .filter(_.nonEmpty)
    val earlier = output.filter(_ => isResumed).toSeq.flatMap { folder =>
      val file = new Path(folder, TrainOutput.SettingsFile)
      if (file.getFileSystem(hadoop).exists(file)) OptionsFile.read(file, names, hadoop) else Nil
    }
    val own = typed.toSet
    val (ofConfig, ofRun) =
      (config.filterNot(one => own(one._1)), earlier.filterNot(one => own(one._1)))
    val named = ofConfig.map(_._1).toSet
    arguments ++ (ofConfig ++ ofRun.filterNot(one => named(one._1))).flatMap(_._2)
  }

  /** The names of the options, from their help. */
  private lazy val names: Seq[String] =
    options.linesIterator
      .map(_.trim)
      .filter(_.startsWith("--"))
      .map(_.drop(2).takeWhile(c => c.isLetterOrDigit || c == '-'))
      .toSeq

  /** All options with their values, for `train.yaml`. */
  private def saved(options: Product): Seq[(String, Any)] =
    options.productElementNames.zip(options.productIterator).toSeq.flatMap {
      case (name, _) if LeftOut(name) => Nil
      case (_, group: Product) if !group.isInstanceOf[Option[?]] && !group.isInstanceOf[Flag] =>
        saved(group)
      case (name, Some(value)) => Seq(kebab(name) -> value)
      case (_, None) => Nil
      case (name, flag: Flag) => Seq(kebab(name) -> flag.value)
      case (name, value) => Seq(kebab(name) -> value)
    }

  private val LeftOut = Set("resume", "overwrite", "config", "output")

  private def kebab(name: String): String =
    name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT)

  private def classes(text: String): Option[Int] =
    if (text == "auto") None
    else {
      text.toIntOption.filter(_ > 1).orElse {
        throw OptionValue.invalid("--classes", text, "It must be auto, or a number of at least 2.")
      }
    }

  private def cacheGb(value: Double): Double =
    if (value >= 0.001) value
    else throw OptionValue.invalid("--cache-gb", value, "It must be at least 0.001.")
}
