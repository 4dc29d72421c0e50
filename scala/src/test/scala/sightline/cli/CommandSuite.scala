package sightline.cli

import mainargs.{Flag, ParserForClass, main}
import org.scalatest.funsuite.AnyFunSuite

import sightline.{OptionValue, SightlineException}

final class CommandSuite extends AnyFunSuite {

  import CommandSuite.Options

  private val parser = ParserForClass[Options]

  private def parse(arguments: String*): Options =
    Command.parse(parser, PredictCommand, arguments)

  private def refused(act: => Any): String = {
    val error = intercept[SightlineException](act: Unit)
    assert(error.exitStatus == 2)
    assert(error.getMessage.linesIterator.size == 1)
    error.getMessage
  }

  test("options are read by their names, in any order") {
    assert(parse("--top-k", "3", "--overwrite", "--images", "a b") == Options("a b", 3, Flag(true)))
    assert(parse("--images", "x") == Options("x"))
  }

  test("what is missing, unknown or no number is told by its name, and where help is") {
    val help = "See `spark-submit sightline.jar predict --help`."
    Seq(
      refused(parse()) -> "--images",
      refused(parse("--images", "x", "--colour", "red")) -> "--colour",
      refused(parse("--images")) -> "--images",
    ).foreach { case (message, name) =>
      assert(message.startsWith("WRONG_ARGUMENTS: "))
      assert(message.contains(name))
      assert(message.endsWith(help))
    }
    assert(
      refused(parse("--images", "x", "--top-k", "many")) ==
        "INVALID_OPTION: --top-k is 'many'. It must be a whole number."
    )
  }

  test("one of a few words lists them when it is another") {
    assert(OptionValue.oneOf("UNKNOWN_DEVICE", "--device", "cpu", Seq("cpu", "cuda")) == "cpu")
    assert(
      refused(OptionValue.oneOf("UNKNOWN_DEVICE", "--device", "tpu", Seq("cpu", "cuda"))) ==
        "UNKNOWN_DEVICE: --device 'tpu'. Known: cpu, cuda."
    )
  }

  test("a number below its least is refused with both") {
    assert(OptionValue.atLeast("--top-k", 1, 1) == 1)
    assert(
      refused(OptionValue.atLeast("--top-k", 0, 1)) ==
        "INVALID_OPTION: --top-k is '0'. It must be at least 1."
    )
  }

  test("an unknown way to treat errors lists the known ones") {
    assert(refused(OnError.parse("ignore")).contains("Known: permissive, drop, fail."))
    assert(OnError.parse("drop") == OnError.Drop)
  }
}

object CommandSuite {
  @main
  final case class Options(images: String, topK: Int = 5, overwrite: Flag = Flag())
}
