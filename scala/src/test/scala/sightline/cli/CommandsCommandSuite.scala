package sightline.cli

import java.io.ByteArrayInputStream
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, LocalSpark, TestImage}

/** `commands`: several command lines in one Spark application. */
final class CommandsCommandSuite extends AnyFunSuite with LocalSpark {

  // The session's settings also apply to the sessions that commands start.
  private def run(arguments: String*): Output = {
    spark.stop()
    Output.of(Main.run("commands" +: arguments))
  }

  private def file(folder: Path, lines: String*): String =
    write(folder, "lines.txt", lines.mkString("\n")).toString

  /** The reported number, command and status of each line that was run. */
  private def reported(output: Output): Seq[(Int, String, Int)] =
    output.out.linesIterator
      .filter(_.startsWith("@ "))
      .map { line =>
        implicit val formats: Formats = DefaultFormats
        val json = JsonMethods.parse(line.drop(2))
        assert((json \ "seconds").extract[Double] >= 0)
        (
          (json \ "line").extract[Int],
          (json \ "command").extract[String],
          (json \ "status").extract[Int],
        )
      }
      .toSeq

  test("lines run in order, and the status of each is reported when it has finished") {
    withFolder { folder =>
      write(folder, "my images/red/a.png", TestImage.of(java.awt.Color.RED)): Unit
      val model = ColourBundle.bundle.folder
      val output = run(
        "--file",
        file(
          folder,
          "# a comment, then an empty line",
          "",
          s"predict --images '$folder/my images' --model '$model' --output $folder/out",
          s"evaluate --predictions $folder/out --output $folder/metrics",
          s"""sql --predictions $folder/out -e "SELECT prediction.label AS it FROM predictions"""",
          "sql --help",
        ),
      )
      assert(output.status == 0, output.err)
      val done = Seq((3, "predict", 0), (4, "evaluate", 0), (5, "sql", 0), (6, "sql", 0))
      assert(reported(output) == done)
      val parts = output.out.split("(?m)^@ .*\n")
      assert(parts(0).startsWith("1 images: 1 predicted, no errors"))
      assert(parts(2).contains("|red|"))
      assert(parts(3).startsWith("sql: "))
    }
  }

  test("all lines run in one Spark application") {
    withFolder { folder =>
      write(folder, "images/a.png", TestImage.of(java.awt.Color.RED)): Unit
      def predict(output: String): String =
        s"predict --images $folder/images --model ${ColourBundle.bundle.folder} --output $folder/$output"
      val output = run("--file", file(folder, predict("one"), predict("two")))
      assert(output.status == 0, output.err)
      val applications = Seq("one", "two").map { name =>
        val record = Files.readString(folder.resolve(s"$name/_run/run.json"))
        JsonMethods.parse(record) \ "spark" \ "application"
      }
      assert(applications.distinct.size == 1)
      assert(applications.head != JNothing)
    }
  }

  test("a file stops at the first line that fails, with the same error as the command alone") {
    withFolder { folder =>
      val output = run("--file", file(folder, "sql -e 'SELECT 1'", "serve -x", "sql -e 'SELECT 2'"))
      assert(output.status == 1)
      assert(reported(output) == Seq((1, "sql", 0), (2, "serve", 2)))
      val errors = output.err.linesIterator.filter(_.startsWith("sightline: ")).toSeq
      assert(
        errors == Seq(
          "sightline: UNKNOWN_COMMAND: 'serve'. Known: predict, features, pca, evaluate, sql, " +
            "pack-images, train, doctor, plan.",
          "sightline: COMMANDS_FAILED: line 2 (serve) failed; see the errors above. The lines after it " +
            "were not run (--stop-on-error).",
        )
      )
    }
  }

  test("with --stop-on-error false all lines run, and the failed ones are listed at the end") {
    withFolder { folder =>
      val lines =
        Seq("sql -e 'SELEC'", "sql -e \"SELECT 1", "commands --file x", "sql -e 'SELECT 2'")
      val output = run("--file", file(folder, lines: _*), "--stop-on-error", "false")
      assert(output.status == 1)
      assert(
        reported(output).map { case (line, _, status) => (line, status) } ==
          Seq((1, 2), (2, 2), (3, 2), (4, 0))
      )
      assert(output.err.contains("sightline: INVALID_SQL: [PARSE_SYNTAX_ERROR]"))
      assert(output.err.contains("sightline: BAD_LINE: a quote (\") is opened"))
      assert(output.err.contains("COMMANDS_FAILED: line 1 (sql), 2 (sql -e \"SELECT 1), 3 (comm"))
    }
  }

  test("--file - reads UTF-8 lines from standard input and continues after a failed line") {
    val before = System.in
    System.setIn(new ByteArrayInputStream("serve\nsql -e 'SELECT 7 AS `ü`'\n".getBytes(UTF_8)))
    try {
      val output = run("--file", "-")
      assert(output.status == 1)
      assert(reported(output) == Seq((1, "serve", 2), (2, "sql", 0)))
    } finally System.setIn(before)
  }

  test("settings and views of one line do not exist in the next") {
    withFolder { folder =>
      write(folder, "t.csv", "x\n1\n"): Unit
      val output = run(
        "--stop-on-error",
        "false",
        "--file",
        file(
          folder,
          s"sql --view t=$folder/t.csv --set spark.sql.ansi.enabled=false -e \"SELECT int('a') FROM t\"",
          "sql -e \"SELECT int('a')\"",
          "sql -e 'SELECT * FROM t'",
        ),
      )
      assert(reported(output).map(_._3) == Seq(0, 1, 2), output.err)
      assert(output.err.contains("TABLE_OR_VIEW_NOT_FOUND"))
    }
  }
}
