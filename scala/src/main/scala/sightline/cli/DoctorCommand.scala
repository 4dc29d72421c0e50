package sightline.cli

import mainargs.{ParserForClass, arg, main}
import org.apache.spark.SparkConf
import org.apache.spark.sql.sightline.HadoopSettings

import sightline.doctor.{Doctor, Findings, Request}
import sightline.schedule.InferenceSettings
import sightline.{OptionValue, SightlineException}

/** `doctor`: checks a set-up and prints what to fix. */
object DoctorCommand extends Command {

  @main
  final case class Options(
      @arg(doc = "Check every executor too, by small Spark jobs")
      executors: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Name of a model, or path of its bundle, to check too")
      model: Option[String] = None,
      @arg(doc = "Folder of bundles that is searched first")
      models: Option[String] = None,
      @arg(doc = "Backend: onnx (default), openvino or pytorch")
      backend: String = "onnx",
      @arg(doc = "Device: auto (default), cpu or cuda")
      device: String = "auto",
      @arg(doc = "Folder of a run's result; nothing is left there")
      output: Option[String] = None,
      @arg(doc = "Number of images in one batch of the model (default: as in predict)")
      batchRows: Option[Int] = None,
      @arg(doc = "Print JSON")
      json: mainargs.Flag = mainargs.Flag(),
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "doctor"
  override val summary: String = "check a set-up of Spark and Python, with a fix for each finding"
  override val example: String = "--executors --model id_fraud --output predictions/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    OptionValue.oneOf("UNKNOWN_DEVICE", "--device", options.device, InferenceSettings.Devices): Unit
    val request = Request(
      options.backend,
      options.device,
      options.model,
      options.models,
      options.output,
      options.batchRows.map(OptionValue.atLeast("--batch-rows", _, 1)),
    )
    val hadoop = HadoopSettings.beforeSession
    options.cloud.configure(this, hadoop)
    val doctor = new Doctor(request, new SparkConf, hadoop)
    val driver = Findings(doctor.driver())
    // Spark might not start with such settings, or would wait for ever.
    if (driver.isBlocked) report(driver, options.json.value)
    options.cloud(this) { invocation =>
      val executors = if (options.executors.value) doctor.executors(invocation.spark) else Nil
      report(Findings(driver.all ++ executors), options.json.value)
    }
  }

  private def report(findings: Findings, asJson: Boolean): Unit = {
    println(if (asJson) findings.json else findings.text)
    if (findings.isBlocked) throw SightlineException("SETUP_BLOCKED", "summary" -> findings.summary)
  }
}
