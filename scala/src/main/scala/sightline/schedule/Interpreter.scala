package sightline.schedule

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.spark.SparkConf

/** Selection of the Python interpreter for the workers. */
object Interpreter {

  /**
   * The interpreter: `spark.pyspark.python`, else `PYSPARK_PYTHON`, as for Spark's own workers; else the
   * interpreter of the environment in which the running Spark is installed as pyspark; else `python3`
   * on the PATH. An empty setting or variable is ignored.
   *
   * @param environment the environment variables of the process
   * @return a path, or a name on the PATH
   */
  def of(conf: SparkConf, environment: Map[String, String] = sys.env): String =
    conf
      .getOption("spark.pyspark.python")
      .filter(_.nonEmpty)
      .orElse(environment.get("PYSPARK_PYTHON").filter(_.nonEmpty))
      .orElse(environment.get("SPARK_HOME").flatMap(owner))
      .getOrElse("python3")

  /**
   * The interpreter that the driver runs Sightline's Python modules with: `spark.pyspark.driver.python`,
   * else `spark.pyspark.python`, else `PYSPARK_DRIVER_PYTHON`, as for Spark's drivers; else the workers'.
   * A notebook program in `PYSPARK_DRIVER_PYTHON` is no interpreter and is ignored.
   */
  def ofDriver(conf: SparkConf, environment: Map[String, String] = sys.env): String =
    Seq("spark.pyspark.driver.python", "spark.pyspark.python")
      .flatMap(conf.getOption)
      .find(_.nonEmpty)
      .orElse(
        environment
          .get("PYSPARK_DRIVER_PYTHON")
          .filter(name => name.nonEmpty && !Notebook.matches(name))
      )
      .getOrElse(of(conf, environment))

  private val Notebook = ".*(?:jupyter|ipython)[^/]*".r

  /** The interpreter of `ENV` if SPARK_HOME is `ENV/lib/python3.11/site-packages/pyspark`; else None. */
  private def owner(sparkHome: String): Option[String] = {
    val home = Paths.get(sparkHome).toAbsolutePath.normalize
    Option
      .when(home.getNameCount > 4 && home.getParent.getFileName.toString == "site-packages") {
        home.getParent.getParent.getParent.getParent
      }
      .flatMap(python)
  }

  private def python(environment: Path): Option[String] = {
    val folder = environment.resolve("bin")
    Option
      .when(Files.isDirectory(folder)) {
        Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSet)
      }
      .flatMap(names => Seq("python", "python3").find(names))
      .map(name => folder.resolve(name).toString)
  }
}
