package sightline.schedule

import java.nio.file.Path

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

final class InterpreterSuite extends AnyFunSuite {

  private val empty = new SparkConf(loadDefaults = false)
  private val configured = empty.clone.set("spark.pyspark.python", "/conf/python")

  /** Creates a Python environment with a folder pyspark and returns that folder. */
  private def environment(folder: Path, interpreters: String*): Path = {
    interpreters.foreach(name => write(folder, s"bin/$name", ""))
    val pyspark = "lib/python3.11/site-packages/pyspark"
    write(folder, s"$pyspark/version.py", "").getParent
  }

  test("the setting has priority over PYSPARK_PYTHON and SPARK_HOME, as for Spark's workers") {
    withFolder { folder =>
      val owned = Map("SPARK_HOME" -> environment(folder, "python").toString)
      val variables = owned + ("PYSPARK_PYTHON" -> "/env/python")
      assert(Interpreter.of(configured, variables) == "/conf/python")
      assert(Interpreter.of(configured, owned) == "/conf/python")
    }
  }

  test("PYSPARK_PYTHON has priority over SPARK_HOME") {
    withFolder { folder =>
      val variables = Map(
        "PYSPARK_PYTHON" -> "/env/python",
        "SPARK_HOME" -> environment(folder, "python").toString,
      )
      assert(Interpreter.of(empty, variables) == "/env/python")
    }
  }

  test("an empty setting or variable is ignored") {
    val unsaid = empty.clone.set("spark.pyspark.python", "")
    assert(Interpreter.of(unsaid, Map("PYSPARK_PYTHON" -> "/env/python")) == "/env/python")
    assert(Interpreter.of(unsaid, Map("PYSPARK_PYTHON" -> "")) == "python3")
  }

  test("the interpreter of pyspark's environment is found from SPARK_HOME") {
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

  test("for a Spark outside a Python environment the interpreter is python3") {
    withFolder { folder =>
      val orphan = environment(folder)
      Seq("/opt/spark", "/", "/a/site-packages/pyspark", orphan.toString).foreach { home =>
        assert(Interpreter.of(empty, Map("SPARK_HOME" -> home)) == "python3")
      }
    }
    assert(Interpreter.of(empty, Map.empty) == "python3")
  }

  test("the driver's interpreter has Spark's order of settings and variables") {
    val variables = Map("PYSPARK_DRIVER_PYTHON" -> "d-variable", "PYSPARK_PYTHON" -> "w-variable")
    val worker = new SparkConf(false).set("spark.pyspark.python", "w-setting")
    val both = worker.clone.set("spark.pyspark.driver.python", "d-setting")
    assert(Interpreter.ofDriver(both, variables) == "d-setting")
    assert(Interpreter.of(both, variables) == "w-setting")
    assert(Interpreter.ofDriver(worker, variables) == "w-setting")
    assert(Interpreter.ofDriver(new SparkConf(false), variables) == "d-variable")
    assert(Interpreter.of(new SparkConf(false), variables) == "w-variable")
    val notebook = variables.updated("PYSPARK_DRIVER_PYTHON", "/opt/bin/jupyter-lab")
    assert(Interpreter.ofDriver(new SparkConf(false), notebook) == "w-variable")
  }
}
