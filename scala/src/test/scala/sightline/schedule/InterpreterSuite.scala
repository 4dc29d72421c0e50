package sightline.schedule

import java.nio.file.Path

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

final class InterpreterSuite extends AnyFunSuite {

  private val empty = new SparkConf(loadDefaults = false)
  private val configured = empty.clone.set("spark.pyspark.python", "/conf/python")

  /** A Python environment of its own with a pyspark in it; gives the pyspark. */
  private def environment(folder: Path, interpreters: String*): Path = {
    interpreters.foreach(name => write(folder, s"bin/$name", ""))
    val pyspark = "lib/python3.11/site-packages/pyspark"
    write(folder, s"$pyspark/version.py", "").getParent
  }

  test("the setting comes before PYSPARK_PYTHON and the owner of pyspark, as for Spark's workers") {
    withFolder { folder =>
      val owned = Map("SPARK_HOME" -> environment(folder, "python").toString)
      val variables = owned + ("PYSPARK_PYTHON" -> "/env/python")
      assert(Interpreter.of(configured, variables) == "/conf/python")
      assert(Interpreter.of(configured, owned) == "/conf/python")
    }
  }

  test("PYSPARK_PYTHON comes before the owner of pyspark") {
    withFolder { folder =>
      val variables = Map(
        "PYSPARK_PYTHON" -> "/env/python",
        "SPARK_HOME" -> environment(folder, "python").toString,
      )
      assert(Interpreter.of(empty, variables) == "/env/python")
    }
  }

  test("a setting or variable that is empty says nothing") {
    val unsaid = empty.clone.set("spark.pyspark.python", "")
    assert(Interpreter.of(unsaid, Map("PYSPARK_PYTHON" -> "/env/python")) == "/env/python")
    assert(Interpreter.of(unsaid, Map("PYSPARK_PYTHON" -> "")) == "python3")
  }

  test("the Python that owns the running pyspark is found above it") {
    withFolder { folder =>
      val home = environment(folder, "python", "python3")
      assert(Interpreter.of(empty, Map("SPARK_HOME" -> home.toString)) == s"$folder/bin/python")
      assert(Interpreter.of(empty, Map("SPARK_HOME" -> s"$home/")) == s"$folder/bin/python")
    }
    withFolder { folder =>
      val home = environment(folder, "python3")
      assert(Interpreter.of(empty, Map("SPARK_HOME" -> home.toString)) == s"$folder/bin/python3")
    }
  }

  test("a Spark that no Python owns leaves python3 of the PATH") {
    withFolder { folder =>
      val orphan = environment(folder)
      Seq("/opt/spark", "/", "/a/site-packages/pyspark", orphan.toString).foreach { home =>
        assert(Interpreter.of(empty, Map("SPARK_HOME" -> home)) == "python3")
      }
    }
    assert(Interpreter.of(empty, Map.empty) == "python3")
  }
}
