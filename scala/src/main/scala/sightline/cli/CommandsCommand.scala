package sightline.cli

import java.io.{BufferedReader, IOException, InputStreamReader}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}
import java.time.Instant

import scala.util.{Failure, Success, Try, Using}

import mainargs.{ParserForClass, arg, main}
import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.{ShellWords, SightlineException}

/**
 * `commands`: runs many command lines in one Spark application.
 *
 * @param known the commands that a line may name
 */
final class CommandsCommand(known: Seq[Command]) extends Command {

  import CommandsCommand.{Done, isolated, parser}

  override val name: String = "commands"
  override val summary: String =
    "run many command lines in one application: Spark starts and models load once"
  override val example: String = "--file nightly.txt"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val file = Command.nonEmpty("--file", options.file)
    if (file != "-" && !Files.isReadable(Paths.get(file))) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> file,
        "reason" -> "is not a readable file",
        "hint" -> "Give a file of command lines.",
      )
    }
    val stops = options.stopOnError.getOrElse(file != "-")
    invocation => run(file, stops, invocation.spark)
  }

  private def run(file: String, stops: Boolean, spark: SparkSession): Unit =
    Using.resource(open(file)) { reader =>
      val done = Iterator
        .continually(Option(reader.readLine()))
        .takeWhile(_.isDefined)
        .flatten
        .zip(Iterator.from(1))
        .filterNot { case (text, _) => text.isBlank || text.trim.startsWith("#") }
        .map { case (text, number) => runLine(number, text, spark) }
      // The iterator is lazy: the next line is read after this one has ended.
      val failed = done.filter(_.status != 0)
      val reported = if (stops) failed.take(1).toSeq else failed.toSeq
      if (reported.nonEmpty) throw CommandsCommand.failure(reported, stops)
    }

  private def open(file: String): BufferedReader =
    if (file == "-") new BufferedReader(new InputStreamReader(System.in, UTF_8))
    else {
      try Files.newBufferedReader(Paths.get(file), UTF_8)
      catch {
        case error: IOException =>
          throw SightlineException(
            "PATH_NOT_FOUND",
            "path" -> file,
            "reason" -> s"cannot be read (${error.getMessage})",
            "hint" -> "Give a file of command lines.",
          )
      }
    }

  private def runLine(number: Int, text: String, spark: SparkSession): Done = {
    val start = System.nanoTime
    val (command, status) = Try(ShellWords.parse(text)) match {
      case Success(words) =>
        (
          words.head,
          CommandLine.run(known, words, Instant.now)((_, use) => isolated(spark)(use(spark))),
        )
      case Failure(error) => (text.trim, sightline.cli.Failure.statusOf(throw error))
    }
    val done = Done(number, command, status, (System.nanoTime - start) / 1e9)
    println(s"@ ${JsonMethods.compact(done.json)}")
    Console.out.flush()
    done
  }
}

object CommandsCommand {

  @main
  final case class Options(
      @arg(doc =
        "File of command lines, quoted as in a shell (# begins a comment); - reads standard " +
          "input, each line after the previous one has ended"
      )
      file: String,
      @arg(doc = "true: stop at the first line that fails (default for a file), or false")
      stopOnError: Option[Boolean] = None,
  )

  private val parser = ParserForClass[Options]

  /** Runs a line and then restores the session's settings and drops the temporary views. */
  private[cli] def isolated(spark: SparkSession)(run: => Unit): Unit = {
    val before = spark.conf.getAll
    try run
    finally {
      val after = spark.conf.getAll
      after.keySet.diff(before.keySet).foreach(spark.conf.unset)
      before.foreach { case (key, value) =>
        if (!after.get(key).contains(value)) spark.conf.set(key, value)
      }
      spark.sessionState.catalog
        .listLocalTempViews("*")
        .foreach(view => spark.catalog.dropTempView(view.table))
    }
  }

  /** The result of a line, for standard output. */
  final private case class Done(line: Int, command: String, status: Int, seconds: Double) {
    def json: JObject =
      ("line" -> line) ~
        ("command" -> command) ~
        ("status" -> status) ~
        ("seconds" ->
          JDouble(BigDecimal(seconds).setScale(3, BigDecimal.RoundingMode.HALF_UP).toDouble))
  }

  private def failure(failed: Seq[Done], stops: Boolean): SightlineException = {
    val lines = failed.map(done => s"${done.line} (${done.command})").mkString(", ")
    val rest = if (stops) " The lines after it were not run (--stop-on-error)." else ""
    SightlineException("COMMANDS_FAILED", "lines" -> lines, "rest" -> rest)
  }
}
