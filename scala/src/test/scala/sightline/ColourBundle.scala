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
        |write(Path(sys.argv[1]), divisor=25.5)""".stripMargin,
      arguments = Seq(folder.resolve("colour").toString),
    )
    folder
  }

  lazy val bundle: Bundle = Bundle.open(models.resolve("colour"))
}
