package sightline

import java.nio.file.Path

import sightline.model.{Bundle, TemporaryFolder}

/**
 * The bundle `colour` of the Python tests, which names the strongest channel of an image: red,
 * green or blue; made once for a whole run.
 */
object ColourBundle {

  /** The folder `models` that holds it. */
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

  /** One more of the same kind, less sure of itself, which gives the means of the channels too. */
  lazy val means: Bundle = Bundle.open(models.resolve("means"))
}
