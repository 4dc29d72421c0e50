package sightline.cli

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}

import scala.util.Try

import mainargs.{ParserForClass, arg, main}
import org.apache.spark.sql.AnalysisException

import sightline.report.{Evaluation, SavedPredictions}
import sightline.sql.SqlScript
import sightline.{ErrorTranslation, OptionValue, SightlineException}

/** `sql`: runs SQL with Sightline's functions and with views of a run's tables. */
object SqlCommand extends Command {

  @main
  final case class Options(
      @arg(short = 'e', doc = "SQL text, statements separated by ;")
      execute: Option[String] = None,
      @arg(
        short = 'f',
        doc = "File of SQL statements; a statement below `-- title: X` is timed as X",
      )
      file: Option[String] = None,
      @arg(doc =
        "Output folder of `predict`, for the views predictions, judged, per_class, confusion_matrix"
      )
      predictions: Option[String] = None,
      @arg(doc = "NAME=PATH: a Parquet, CSV or JSON file or folder as a view; may be repeated")
      view: Seq[String] = Nil,
      @arg(doc = "NAME=VALUE: the value of ${NAME} in the SQL; may be repeated")
      set: Seq[String] = Nil,
      @arg(doc =
        "Number of runs of each titled statement; the output marks the first run (default 1)"
      )
      repeat: Int = 1,
      @arg(doc = "Maximum number of rows printed of each result (default 50)")
      rows: Int = 50,
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "sql"
  override val summary: String =
    "run SQL with Sightline's functions, and with a run's tables as views"
  override val example: String =
    """--predictions predictions/ -e "SELECT prediction.label, count(*) FROM predictions GROUP BY 1""""
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val script = SqlScript.parse(text(options))
    val repeat = OptionValue.atLeast("--repeat", options.repeat, 1)
    val views = options.view.map(pair("--view", _))
    val settings = options.set.map(pair("--set", _))
    options.cloud(this) { invocation =>
      analysed {
        val spark = invocation.spark
        settings.foreach { case (key, value) => spark.conf.set(key, value) }
        script.requireVariables(spark)
        options.predictions.foreach { folder =>
          Evaluation.createViews(SavedPredictions.read(spark, folder, None))
        }
        views.foreach { case (view, path) => createView(invocation, view, path) }
        script.statements.foreach(_.run(spark, repeat, options.rows))
      }
    }
  }

  /** Converts an error of Spark's analysis to INVALID_SQL, unless it is one of Sightline's errors. */
  private def analysed(run: => Unit): Unit =
    try run
    catch {
      case error: AnalysisException =>
        throw ErrorTranslation.translate(error).getOrElse {
          SightlineException("INVALID_SQL", "reason" -> ErrorTranslation.firstLine(error))
        }
    }

  private def text(options: Options): String = (options.execute, options.file) match {
    case (Some(sql), None) => sql
    case (None, Some(file)) =>
      Try(Files.readString(Paths.get(file), UTF_8)).getOrElse {
        throw SightlineException(
          "PATH_NOT_FOUND",
          "path" -> file,
          "reason" -> "is not a readable file",
          "hint" -> "Give a file of SQL.",
        )
      }
    case _ =>
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> name,
        "reason" -> "give SQL text by -e or a file by -f, but not both.",
      )
  }

  private def createView(invocation: Invocation, view: String, path: String): Unit = {
    val format = Seq("csv", "json")
      .find(ending => path.stripSuffix("/").endsWith(s".$ending"))
      .getOrElse("parquet")
    invocation.spark.read
      .options(Map("header" -> "true", "escape" -> "\""))
      .format(format)
      .load(path)
      .createOrReplaceTempView(view)
  }

  private def pair(option: String, text: String): (String, String) = text.split("=", 2) match {
    case Array(key, value) if key.nonEmpty => key -> value
    case _ =>
      throw OptionValue.invalid(option, text, "It must be NAME=VALUE.")
  }
}
