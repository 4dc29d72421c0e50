package sightline.cli

import java.nio.file.{Path, Paths}

import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder

/** Runs whose driver has another interpreter than the workers, in local mode; tests/cluster has a cluster. */
final class DriverInterpreterSuite extends AnyFunSuite with ColourPredictions {

  private val own = sys.props("spark.pyspark.python")

  private def withInterpreters(workers: String, driver: Option[String])(
      use: => Assertion
  ): Assertion = {
    System.setProperty("spark.pyspark.python", workers): Unit
    driver.foreach(System.setProperty("spark.pyspark.driver.python", _): Unit)
    try use
    finally {
      System.setProperty("spark.pyspark.python", own): Unit
      System.clearProperty("spark.pyspark.driver.python"): Unit
    }
  }

  test("CREATE MODEL needs the driver's interpreter only, and predict checks that of the workers") {
    withInterpreters(workers = "./environment/bin/python", driver = Some(own)) {
      withFolder { folder =>
        val created = runAlone(
          "sql",
          "-e",
          s"CREATE MODEL colours USING '$model'",
          "--set",
          s"spark.sightline.models=$folder/models",
        )
        assert(created.status == 0, created.err)
        assert(created.out.contains("colours"))
        assertWrong(
          runAlone(predictLine(folder, images(folder)): _*),
          "PYTHON_NOT_FOUND: './environment/bin/python on executor driver (",
        )
      }
    }
  }

  test("a relative interpreter of the workers is found from the folder that Spark was started in") {
    // Spark starts the workers in a folder of the session.
    val relative: Path = Paths.get("").toAbsolutePath.relativize(Paths.get(own))
    assert(relative.getNameCount > 1)
    withInterpreters(workers = relative.toString, driver = None) {
      withFolder { folder =>
        val done = runAlone(predictLine(folder, images(folder)): _*)
        assert(done.status == 0, done.err)
        assert(done.out.startsWith("4 images: 3 predicted, 1 errors: 1 UNSUPPORTED"))
      }
    }
  }
}
