package sightline.cli

import java.nio.file.{Files, Path}

import org.scalatest.funsuite.AnyFunSuite

/** docs/commands.md: the help of every command of the jar. The Python tests check the package's. */
final class CommandsPageSuite extends AnyFunSuite {

  private val written = "run: make setup && .venv/bin/python scripts/commands_page.py"

  test("docs/commands.md has the help of every command as it is printed") {
    val page = Files.readString(Path.of("docs/commands.md"))
    val jar = page.linesIterator
      .dropWhile(!_.startsWith("## The jar"))
      .takeWhile(!_.startsWith("## The Python package"))
      .mkString("\n")
    val names = help().linesIterator.filter(_.startsWith("  ")).map(_.split(" +")(1)).toSeq
    assert(names.size >= 7)
    names.foreach { name =>
      assert(jar.contains(s"### $name\n\n```text\n${help(name).stripTrailing}\n```\n"), written)
    }
    assert(jar.linesIterator.count(_.startsWith("### ")) == names.size, written)
  }

  private def help(command: String*): String = Output.of(Main.run(command :+ "--help")).out
}
