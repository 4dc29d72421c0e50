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

  test("options are parsed by name, in any order") {
    assert(parse("--top-k", "3", "--overwrite", "--images", "a b") == Options("a b", 3, Flag(true)))
    assert(parse("--images", "x") == Options("x"))
  }

  test("the error for a missing or unknown option or for a wrong number has the option's name") {
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

  test("the error for an unknown value of an option lists the known values") {
    assert(OptionValue.oneOf("UNKNOWN_DEVICE", "--device", "cpu", Seq("cpu", "cuda")) == "cpu")
    assert(
      refused(OptionValue.oneOf("UNKNOWN_DEVICE", "--device", "tpu", Seq("cpu", "cuda"))) ==
        "UNKNOWN_DEVICE: --device 'tpu'. Known: cpu, cuda."
    )
  }

  test("a number below the minimum is rejected, and the error has the number and the minimum") {
    assert(OptionValue.atLeast("--top-k", 1, 1) == 1)
    assert(
      refused(OptionValue.atLeast("--top-k", 0, 1)) ==
        "INVALID_OPTION: --top-k is '0'. It must be at least 1."
    )
  }

  test("the error for an unknown value of --on-error lists the known ones") {
    assert(refused(OnError.parse("ignore")).contains("Known: permissive, drop, fail."))
    assert(OnError.parse("drop") == OnError.Drop)
  }
}

object CommandSuite {
  @main
  final case class Options(images: String, topK: Int = 5, overwrite: Flag = Flag())
}
