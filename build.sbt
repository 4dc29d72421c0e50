import java.nio.charset.StandardCharsets.UTF_8

// One version number for the jar and the Python package: python/src/sightline/version.py.
val sightlineVersion = {
  val source = IO.read(file("python/src/sightline/version.py"), UTF_8)
  """__version__ = "([^"]+)"""".r
    .findFirstMatchIn(source)
    .map(_.group(1))
    .getOrElse(sys.error("python/src/sightline/version.py contains no __version__"))
}

// The jar is compiled against the Spark of the pyspark wheel in .venv, so both languages use one Spark.
val pysparkHome = settingKey[File]("The pyspark package whose jars are compiled and tested against")
val pythonArchive = taskKey[Seq[File]]("The Python sources as a zip, for the workers")
val bundleResources =
  taskKey[Seq[File]]("The committed model bundles, as resources of the jar")

val errorConditions =
  taskKey[Seq[File]]("The file of error conditions, which the jar and the Python package share")

val hostOpens = Seq(
  "java.lang",
  "java.lang.invoke",
  "java.lang.reflect",
  "java.io",
  "java.net",
  "java.nio",
  "java.util",
  "java.util.concurrent",
  "java.util.concurrent.atomic",
  "sun.nio.ch",
  "sun.nio.cs",
  "sun.security.action",
  "sun.util.calendar",
).map(name => s"--add-opens=java.base/$name=ALL-UNNAMED")

val isMainSpark = SparkVersion.current == SparkVersion.main

lazy val sightline = project
  .in(file("."))
  .enablePlugins(BuildInfoPlugin)
  .settings(
    name := "sightline",
    organization := "sightline",
    version := sightlineVersion,
    scalaVersion := SparkVersion.current.scala,
    target := {
      val all = baseDirectory.value / "target"
      if (isMainSpark) all else all / s"spark-${SparkVersion.current.line}"
    },
    scalacOptions ++= Seq(
      "-release:17",
      "-Xsource:3",
      "-deprecation",
      "-feature",
      "-unchecked",
      "-Xlint:_,-byname-implicit",
      "-Wunused:_",
      "-Wdead-code",
      "-Wvalue-discard",
      "-Wextra-implicit",
      "-Werror",
    ),
    Compile / scalaSource := baseDirectory.value / "scala/src/main/scala",
    Compile / resourceDirectory := baseDirectory.value / "scala/src/main/resources",
    Test / scalaSource := baseDirectory.value / "scala/src/test/scala",
    Test / resourceDirectory := baseDirectory.value / "scala/src/test/resources",
    pysparkHome := {
      val line = SparkVersion.current.line
      val libraries =
        if (isMainSpark)
          (baseDirectory.value / ".venv/lib") * "python3*" / "site-packages" / "pyspark"
        else baseDirectory.value / ".tools" / s"spark-$line" * "pyspark"
      libraries.get.headOption.getOrElse(
        sys.error(
          s"There is no pyspark of Spark $line. Run `make jar SPARK=$line`, which installs it."
        )
      )
    },
    // Without Scala's library and compiler, which the compiler's class loader must not get twice; sbt
    // adds the same ones.
    Compile / unmanagedJars ++=
      (pysparkHome.value / "jars" * ("*.jar" -- ("scala-library-*.jar" | "scala-compiler-*.jar"))).classpath,
    Test / unmanagedJars ++= (Compile / unmanagedJars).value,
    libraryDependencies ++= Seq(
      // Spark's jars include scala-collection-compat.
      ("com.lihaoyi" %% "mainargs" % "0.7.6")
        .exclude("org.scala-lang.modules", "scala-collection-compat_2.13"),
      "org.scalatest" %% "scalatest" % "3.2.20" % Test,
    ),
    buildInfoPackage := "sightline",
    buildInfoKeys := Seq[BuildInfoKey](
      version,
      "sparkLine" -> SparkVersion.current.line,
      "sparkVersion" -> SparkVersion.current.pyspark,
      "jars" -> SparkVersion.all.map(one => one.line -> SparkVersion.jar(one)).toMap,
    ),
    pythonArchive := {
      val sources = baseDirectory.value / "python/src"
      val files =
        (sources / "sightline" ** ("*.py" || "*.css" || "*.html" || "*.js" || "*.json" || "*.sh")).get
          .sortBy(_.getPath)
      val zip = (Compile / resourceManaged).value / "sightline-python.zip"
      // With a fixed time the archive and its hash depend only on the sources.
      IO.zip(files.map(f => f -> IO.relativize(sources, f).get), zip, Some(0L))
      Seq(zip)
    },
    bundleResources := {
      val bundle = baseDirectory.value / "models/id_fraud"
      val target = (Compile / resourceManaged).value / "models"
      val names = Seq(bundle).filter(folder => (folder / "model.json").exists)
      val copies = names.flatMap(folder => (folder * "*").get).map { source =>
        source -> target / source.getParentFile.getName / source.getName
      }
      IO.copy(copies)
      val index = target / "index.txt"
      IO.write(index, names.map(_.getName).mkString("\n"))
      index +: copies.map { case (_, copy) => copy }
    },
    errorConditions := {
      val target = (Compile / resourceManaged).value / "sightline/error_conditions.json"
      IO.copyFile(baseDirectory.value / "python/src/sightline/error_conditions.json", target)
      Seq(target)
    },
    Compile / resourceGenerators ++=
      Seq(pythonArchive.taskValue, bundleResources.taskValue, errorConditions.taskValue),
    Compile / unmanagedSourceDirectories +=
      baseDirectory.value / "scala/src" / SparkVersion.current.sources / "scala",
    semanticdbEnabled := isMainSpark,
    semanticdbVersion := "4.13.10",
    Test / fork := true,
    Test / parallelExecution := false,
    Test / javaOptions ++= hostOpens ++ Seq(
      "-Xmx2g",
      "-XX:+IgnoreUnrecognizedVMOptions",
      // For short runs the second compiler costs more time than it saves.
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      // The code of all suites does not fit into the 48 MB that one compiler gets.
      "-XX:ReservedCodeCacheSize=240m",
      // Below this size of the classes' data no collection is made for it.
      "-XX:MetaspaceSize=320m",
      "-Xmn400m",
      "-Dio.netty.tryReflectionSetAccessible=true",
      s"-Dspark.pyspark.python=${baseDirectory.value / ".venv/bin/python"}",
    ),
    // The JaCoCo agent, if scripts/scala_coverage.sh sets it.
    Test / javaOptions ++= sys.props.get("sightline.agent").map(agent => s"-javaagent:$agent"),
    Test / envVars += "SPARK_HOME" -> pysparkHome.value.getPath,
    Test / testOptions += Tests.Argument(TestFrameworks.ScalaTest, "-oDF"),
    assembly / mainClass := Some("sightline.cli.Main"),
    assembly / assemblyOutputPath :=
      baseDirectory.value / "dist" / SparkVersion.jar(SparkVersion.current),
    // Spark's installation provides Spark and Scala; the jar contains only the other dependencies.
    assembly / assemblyExcludedJars :=
      (assembly / fullClasspath).value.filter(_.data.getPath.startsWith(pysparkHome.value.getPath)),
    assembly / assemblyOption ~= { _.withIncludeScala(false) },
    assembly / test := {},
  )

// The suites of `make test-quick`: they need no Spark session, or use the shared one for a short time.
val fastSuites = Seq(
  "org.apache.spark.sql.sightline.*",
  "sightline.ErrorConditionsSuite",
  "sightline.ShellWordsSuite",
  "sightline.cli.CommandSuite",
  "sightline.cli.CommandsPageSuite",
  "sightline.cli.FailureSuite",
  "sightline.cli.MainSuite",
  "sightline.cli.SqlCommandSuite",
  "sightline.model.*",
  "sightline.report.ProgressSuite",
  "sightline.report.PublicationSuite",
  "sightline.schedule.*",
  "sightline.source.*",
  "sightline.sql.ImageInferenceFunctionSuite",
  "sightline.sql.ModelScriptSuite",
  "sightline.sql.ModelStatementSuite",
  "sightline.sql.PredictFunctionSuite",
  "sightline.sql.PredictTableFunctionSuite",
  "sightline.sql.ReadImagesFunctionSuite",
  "sightline.sql.SqlScriptSuite",
)
addCommandAlias("fastSuites", fastSuites.mkString("Test / testOnly ", " ", ""))
