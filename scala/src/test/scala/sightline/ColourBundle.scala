package sightline

import java.nio.file.Path

import sightline.model.{Bundle, TemporaryFolder}

/**
 * The bundle `colour` of the Python tests, whose class is the strongest channel of an image: red,
 * green or blue. It is created once per run of the tests.
 */
object ColourBundle {

  /** The folder `models` that contains it. */
  lazy val models: Path = {
    val folder = TemporaryFolder.create("test").resolve("models")
    TestPython.run(
      """import runpy, sys
        |from pathlib import Path
        |write = runpy.run_path("python/tests/conftest.py")["write_colour_bundle"]
        |models = Path(sys.argv[1])
        |write(models / "colour", divisor=25.5)
        |write(models / "means", divisor=51.0, features=True)""".stripMargin,
      arguments = Seq(folder.toString),
    )
    folder
  }

  lazy val bundle: Bundle = Bundle.open(models.resolve("colour"))

  /** A second bundle with lower scores, which also returns the means of the channels. */
  lazy val means: Bundle = Bundle.open(models.resolve("means"))
}
