package sightline.cli

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}

import scala.util.Try

import mainargs.{ParserForClass, arg, main}
import org.apache.spark.sql.AnalysisException

import sightline.report.{Evaluation, SavedPredictions}
import sightline.sql.SqlScript
import sightline.{ErrorTranslation, SightlineException}

/** `sql`: SQL text or a file, with Sightline's functions and the run's tables. */
object SqlCommand extends Command {

  @main
  final case class Options(
      @arg(short = 'e', doc = "SQL text, statements parted by ;")
      execute: Option[String] = None,
      @arg(short = 'f', doc = "File of SQL statements; `-- title: X` above one has it timed as X")
      file: Option[String] = None,
      @arg(doc =
        "Folder that `predict` wrote: the views predictions, judged, per_class, confusion_matrix"
      )
      predictions: Option[String] = None,
      @arg(doc = "NAME=PATH: a Parquet, CSV or JSON file or folder as a view; may be repeated")
      view: Seq[String] = Nil,
      @arg(doc = "NAME=VALUE: what ${NAME} stands for in the SQL; may be repeated")
      set: Seq[String] = Nil,
      @arg(doc = "Run each titled statement so often; the first run is told apart (default 1)")
      repeat: Int = 1,
      @arg(doc = "Rows printed of each result (default 50)")
      rows: Int = 50,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "sql"
  override val summary: String = "run SQL with everything registered, and a run's tables as views"
  override val example: String =
    """--predictions predictions/ -e "SELECT prediction.label, count(*) FROM predictions GROUP BY 1""""
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val script = SqlScript.parse(text(options))
    val repeat = Command.atLeast("--repeat", options.repeat, 1)
    val views = options.view.map(pair("--view", _))
    val settings = options.set.map(pair("--set", _))
    invocation =>
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

  /** What Spark says of wrong SQL, in one line; errors of our own functions as they are. */
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
          "reason" -> "is no file that can be read",
          "hint" -> "Give a file of SQL.",
        )
      }
    case _ =>
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> name,
        "reason" -> "give SQL text by -e or a file by -f, one of the two.",
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
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> option,
        "value" -> text,
        "reason" -> "It must be NAME=VALUE.",
      )
  }
}
