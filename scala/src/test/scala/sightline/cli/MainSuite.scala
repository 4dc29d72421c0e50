package sightline.cli

import java.nio.file.Files

import org.scalatest.funsuite.AnyFunSuite

import sightline.{BuildInfo, TestPython}

/** Command lines that do not start Spark: help, versions, and errors in the arguments. */
final class MainSuite extends AnyFunSuite {

  private val manyCommands = new CommandsCommand(Nil)
  private val commands =
    Seq(
      PredictCommand,
      FeaturesCommand,
      PcaCommand,
      EvaluateCommand,
      SqlCommand,
      PackImagesCommand,
      TrainCommand,
      DoctorCommand,
      PlanCommand,
      manyCommands,
    )

  private def run(arguments: String*): Output = Output.of(Main.run(arguments))

  test("help lists every command with its summary") {
    val output = run("--help")
    assert((output.status, output.err) == ((0, "")))
    val listed = output.out.linesIterator.filter(_.startsWith("  ")).map(_.trim.takeWhile(_ != ' '))
    assert(listed.toSeq == commands.map(_.name))
    commands.foreach(command => assert(output.out.contains(command.summary)))
    assert(run("-h") == output)
    assert(run("help") == output)
  }

  test("without a command the exit status is 2 and the help is printed") {
    assert(run().status == 2)
    assert(run().out == run("--help").out)
  }

  test("--version prints the versions of the jar and of the Spark it was built for") {
    assert(
      run("--version").out ==
        s"sightline ${BuildInfo.version}, built for Spark ${BuildInfo.sparkVersion}\n"
    )
  }

  test("the jar and the Python package have the same version") {
    assert(
      TestPython.run("import sightline.version as v; print(v.__version__)") == BuildInfo.version
    )
  }

  test("each command's help has an example and all options") {
    val fields = Map[Command, Class[_]](
      manyCommands -> classOf[CommandsCommand.Options],
      PredictCommand -> classOf[PredictCommand.Options],
      FeaturesCommand -> classOf[FeaturesCommand.Options],
      PcaCommand -> classOf[PcaCommand.Options],
      EvaluateCommand -> classOf[EvaluateCommand.Options],
      SqlCommand -> classOf[SqlCommand.Options],
      PackImagesCommand -> classOf[PackImagesCommand.Options],
      TrainCommand -> classOf[TrainCommand.Options],
      DoctorCommand -> classOf[DoctorCommand.Options],
      PlanCommand -> classOf[PlanCommand.Options],
    )
    commands.foreach { command =>
      val output = run(command.name, "--help")
      assert(output.status == 0)
      assert(output.out.contains(s"spark-submit sightline.jar ${command.name} ${command.example}"))
      names(fields(command)).foreach { name =>
        val option = "--" + name.replaceAll("([A-Z])", "-$1").toLowerCase
        assert(output.out.linesIterator.exists(_.trim.split("[ ,]+").contains(option)), option)
      }
    }
  }

  private val shared = Set[Class[_]](
    classOf[ImageOptions],
    classOf[InferenceOptions],
    classOf[ImageRunOptions],
    classOf[TrainSampleOptions],
    classOf[TrainNetworkOptions],
    classOf[TrainStepOptions],
    classOf[TrainRunOptions],
    classOf[CloudOptions],
  )

  // Includes the options that several commands share.
  private def names(options: Class[_]): Seq[String] =
    options.getDeclaredFields.toSeq.filterNot(_.getName.startsWith("$")).flatMap { field =>
      if (shared(field.getType)) names(field.getType) else Seq(field.getName)
    }

  test("each command accepts the example in its help") {
    assert(words(PredictCommand.example).length == 6)
    // Except `commands`: the file in its example does not exist.
    commands.diff(Seq(manyCommands)).foreach(command => command.prepare(words(command.example)))
  }

  /** The words of a command line, as a shell splits them. */
  private def words(line: String): Seq[String] =
    """"([^"]*)"|(\S+)""".r
      .findAllMatchIn(line)
      .map(m => Option(m.group(1)).getOrElse(m.group(2)))
      .toSeq

  test("every command is in the README") {
    val readme = Files.readString(TestPython.root.resolve("README.md"))
    commands.foreach { command =>
      assert(readme.contains(s"sightline.jar ${command.name} "), command.name)
    }
  }

  test("predict has the same options in the jar and in the Python package") {
    val clouds = Set("--cloud", "--endpoint", "--credentials", "--region")
    // A program without Spark has no tasks.
    val tasks = Set("--gpus-per-task", "--cpus-per-task")
    val only = Set("--models", "--sequential", "--threads") ++ clouds ++ tasks
    def options(help: String): Set[String] = "--[a-z][a-z-]+".r.findAllIn(help).toSet - "--help"
    val alone = options(
      TestPython.run(
        "import sys; from sightline.cli.main import main; sys.exit(main(['predict', '--help']))"
      )
    )
    assert(alone -- only == options(PredictCommand.options) -- only)
  }

  private val predict = Seq("predict", "--images", "x", "--model", "m", "--output", "o")

  private val plan = Seq("plan", "--images", "x", "--model", "m")

  private val wrong = Seq(
    Seq(
      "serve"
    ) -> ("UNKNOWN_COMMAND: 'serve'. Known: predict, features, pca, evaluate, sql, pack-images, " +
      "train, doctor, plan, commands."),
    Seq("predict") -> "WRONG_ARGUMENTS: predict: Missing arguments: --images",
    (predict :+ "extra") -> "WRONG_ARGUMENTS: predict: Unknown argument: \"extra\"",
    (predict ++ Seq("--backend", "tensorflow")) ->
      "UNKNOWN_BACKEND: --backend 'tensorflow'. Known: onnx, pytorch, openvino, python.",
    (predict ++ Seq("--precision", "fp16")) ->
      "UNKNOWN_PRECISION: --precision 'fp16'. Known: fp32, bf16, int8.",
    (predict ++ Seq("--decoder", "turbo")) ->
      "UNKNOWN_DECODER: --decoder 'turbo'. Known: fast, exact.",
    (predict ++ Seq(
      "--device",
      "tpu",
    )) -> "UNKNOWN_DEVICE: --device 'tpu'. Known: auto, cpu, cuda.",
    (predict ++ Seq(
      "--format",
      "xml",
    )) -> "UNKNOWN_FORMAT: --format 'xml'. Known: parquet, csv, json.",
    (predict ++ Seq("--labels", "some")) -> "UNKNOWN_LABELS: labels 'some'",
    (predict ++ Seq(
      "--on-error",
      "stop",
    )) -> "INVALID_OPTION: --on-error is 'stop'. Known: permissive",
    (predict ++ Seq("--limit", "0")) -> "INVALID_OPTION: --limit is '0'. It must be at least 1.",
    (predict ++ Seq("--top-k", "-1")) -> "INVALID_OPTION: --top-k is '-1'.",
    (predict ++ Seq(
      "--batch-rows",
      "0",
    )) -> "INVALID_OPTION: --batch-rows is '0'. It must be auto, or",
    (predict ++ Seq("--batch-rows", "x")) ->
      "INVALID_OPTION: --batch-rows is 'x'. It must be auto, or a whole number",
    (predict ++ Seq("--max-error-rate", "few")) ->
      "INVALID_OPTION: --max-error-rate is 'few'. It must be a number.",
    (predict ++ Seq("--max-error-rate", "-0.1")) -> "INVALID_OPTION: --max-error-rate is '-0.1'.",
    (predict ++ Seq("--max-image-bytes", "0")) -> "INVALID_OPTION: --max-image-bytes is '0'.",
    (predict ++ Seq("--max-image-pixels", "0")) -> "INVALID_OPTION: --max-image-pixels is '0'.",
    (plan ++ Seq("--sample", "0")) -> "INVALID_OPTION: --sample is '0'. It must be at least 1.",
    (plan ++ Seq("--cores", "0")) -> "INVALID_OPTION: --cores is '0'. It must be at least 1.",
    (plan ++ Seq("--price-per-hour", "-1")) ->
      "INVALID_OPTION: --price-per-hour is '-1.0'. It must be a number of at least 0.",
    (plan ++ Seq("--node-cores", "8")) ->
      "WRONG_ARGUMENTS: plan: --node-cores has no effect without --price-per-hour.",
    (plan ++ Seq("--node-cores", "0", "--price-per-hour", "1")) ->
      "INVALID_OPTION: --node-cores is '0'.",
    (plan ++ Seq(
      "--output",
      "o",
    )) -> "WRONG_ARGUMENTS: plan: Unknown arguments: \"--output\" \"o\"",
    (plan ++ Seq("--backend", "tensorflow")) -> "UNKNOWN_BACKEND: --backend 'tensorflow'.",
    Seq(
      "evaluate",
      "--predictions",
      "p",
    ) -> "WRONG_ARGUMENTS: evaluate: Missing argument: --output",
    Seq(
      "commands",
      "--file",
      "/nowhere/x",
    ) -> "PATH_NOT_FOUND: /nowhere/x is not a readable file.",
    Seq("commands", "--file", "") -> "INVALID_OPTION: --file is ''. It must not be empty.",
    Seq("sql") -> "WRONG_ARGUMENTS: sql: give SQL text by -e or a file by -f",
    Seq("sql", "-e", "SELECT 1", "-f", "x.sql") -> "WRONG_ARGUMENTS: sql: give SQL text by -e",
    Seq("sql", "-e", "-- nothing") -> "NO_SQL: ",
    Seq("sql", "-f", "/nowhere/x.sql") -> "PATH_NOT_FOUND: /nowhere/x.sql",
    Seq(
      "sql",
      "-e",
      "SELECT 1",
      "--view",
      "x",
    ) -> "INVALID_OPTION: --view is 'x'. It must be NAME=VALUE.",
    Seq(
      "sql",
      "-e",
      "SELECT 1",
      "--set",
      "=x",
    ) -> "INVALID_OPTION: --set is '=x'. It must be NAME=VALUE.",
    Seq("sql", "-e", "SELECT 1", "--repeat", "0") -> "INVALID_OPTION: --repeat is '0'.",
  )

  wrong.foreach { case (arguments, message) =>
    test(s"rejected: ${arguments.mkString(" ").stripPrefix(predict.mkString(" "))}") {
      val output = run(arguments: _*)
      assert(output.status == 2)
      assert(output.out.isEmpty)
      assert(output.err.linesIterator.size == 1)
      assert(output.lastError.startsWith(s"sightline: $message"))
    }
  }

}
