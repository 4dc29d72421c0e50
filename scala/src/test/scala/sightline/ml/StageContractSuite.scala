package sightline.ml

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.commons.io.FileUtils
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{MLReader, MLWritable}
import org.apache.spark.ml.{Estimator, Pipeline, PipelineModel, PipelineStage, Transformer}
import org.apache.spark.sql.types.{IntegerType, StructType}
import org.apache.spark.sql.{AnalysisException, DataFrame}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, TensorBundle}

/** What holds for every stage of the package, found by reflection. There is no list of exemptions. */
final class StageContractSuite extends AnyFunSuite with StageImages {

  /** The compiled classes of the package that are stages and can be created. */
  private lazy val stages: Seq[Class[? <: PipelineStage]] = {
    val folder = Paths
      .get(classOf[ImageFeaturizer].getProtectionDomain.getCodeSource.getLocation.toURI)
      .resolve("sightline/ml")
    val names =
      Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq)
    names
      .filter(name => name.endsWith(".class") && !name.contains("$"))
      .map(name => Class.forName(s"sightline.ml.${name.stripSuffix(".class")}"))
      .filter(found => classOf[PipelineStage].isAssignableFrom(found) && !found.isInterface)
      .map(_.asSubclass(classOf[PipelineStage]))
      .sortBy(_.getSimpleName)
  }

  /** A table that every stage can read: images with their files, labels and numbers. */
  private def input(folder: Path): DataFrame = {
    val session = spark
    import session.implicits.*
    val images = Seq("red" -> red, "green" -> green, "blue" -> blue, "red" -> red)
    val rows = images.zipWithIndex.map { case ((label, image), at) =>
      val file = write(folder, s"$at.png", image)
      (at + 1, image, file.toString, label, Seq(1f, 2f, 3f, at.toFloat))
    }
    spark.sparkContext.parallelize(rows, 2).toDF("id", "content", "path", "label", "x")
  }

  /** The fitted model of the tests that change none of its Params. */
  private lazy val fitted: PipelineStage = withFolder { folder =>
    created(classOf[ImageClassifierModel], folder)
  }

  /** A stage that can run on `input`. */
  private def created(found: Class[?], folder: Path): PipelineStage = found match {
    case _ if found == classOf[ImageClassifierModel] =>
      new ImageClassifier().setModel(means).setMaxIter(5).fit(input(folder))
    case _ if found == classOf[TransferClassifier] => trainer
    case _ if found == classOf[TransferClassifierModel] => trainer.fit(input(folder))
    case _ if found == classOf[CachedPipeline] =>
      val classifier = new ImageClassifier().setModel(means).setMaxIter(5)
      new CachedPipeline().setStages(Array(classifier))
    case _ =>
      val stage = found.getConstructor().newInstance().asInstanceOf[PipelineStage & ModelParams]
      stage.setModel(if (stage.isInstanceOf[TensorTransformer]) iris else means)
  }

  /** Trains once in this suite: the fits with the same Params take the run of the first. */
  private def trainer: TransferClassifier = new TransferClassifier()
    .setOutput(StageContractSuite.runs.toString)
    .setResume(true)
    .setArchitecture("timm:test_convnext")
    .setWeights("none")
    .setMean(Array(0.5, 0.5, 0.5))
    .setStd(Array(0.5, 0.5, 0.5))
    .setImageSize(32)
    .setEpochs(1)
    .setSplit("1/0/0")

  /** The stage that has the Params of the model. */
  private def params(stage: PipelineStage): Option[ModelParams] = own(stage) match {
    case found: ModelParams => Some(found)
    case _ => None
  }

  private def own(stage: PipelineStage): PipelineStage = stage match {
    case pipeline: Pipeline => own(pipeline.getStages.head)
    case other => other
  }

  /** A Param with a whole number that every fit can have. */
  private def number(stage: PipelineStage): Param[Int] = {
    val found = own(stage)
    found
      .getParam(if (found.hasParam("batchRows")) "batchRows" else "topK")
      .asInstanceOf[Param[Int]]
  }

  private def iris: String = TensorBundle.iris.folder.toString

  /** The result of a stage, and of the model that an estimator fits. */
  private def result(stage: PipelineStage, input: DataFrame): Seq[String] = stage match {
    case transformer: Transformer => texts(transformer.transform(input))
    case estimator: Estimator[?] =>
      texts(estimator.fit(input).asInstanceOf[Transformer].transform(input))
    case other => fail(s"$other is no stage")
  }

  private def reloaded(stage: PipelineStage, folder: Path): PipelineStage = {
    stage.asInstanceOf[MLWritable].write.save(s"$folder/saved")
    // At another place, because a saved stage must not depend on the place.
    FileUtils.moveDirectory(folder.resolve("saved").toFile, folder.resolve("moved").toFile)
    stage.getClass
      .getMethod("read")
      .invoke(None.orNull)
      .asInstanceOf[MLReader[PipelineStage]]
      .load(s"$folder/moved")
  }

  /** Another value of a Param than its own; arrays and texts are made longer. */
  private def another(stage: PipelineStage, param: Param[Any]): Any =
    (param.name, stage.get(param).orElse(stage.getDefault(param))) match {
      case ("modelSha256", _) if stage.isInstanceOf[TransferClassifierModel] =>
        stage.asInstanceOf[TransferClassifierModel].getModelSha256
      case ("modelSha256", _) =>
        val isTensors = stage.isInstanceOf[TensorTransformer]
        (if (isTensors) TensorBundle.iris else ColourBundle.means).sha256
      case ("model", Some(model)) => model
      case ("backend", _) => "onnx"
      case ("stages", Some(stages)) => stages
      case ("precision", _) => "fp32"
      case ("device", _) => "cpu"
      case ("decoder", _) => "exact"
      case ("handleInvalid", _) => "skip"
      case ("casts", _) => "lossy"
      case ("result", _) => "tensors"
      case ("head", _) => "mlp"
      case ("optimizer", _) => "sgd"
      case ("scheduler", _) => "step"
      case ("augment", _) => "flip"
      case ("batchNorm", _) => "keep"
      case ("maxErrorRate" | "momentum" | "labelSmoothing", _) => 0.5
      case ("mean" | "std", _) => Array(0.1, 0.2, 0.3)
      case ("threads", _) => 3
      case (_, Some(flag: Boolean)) => !flag
      case (_, Some(number: Int)) => number + 1
      case (_, Some(number: Long)) => number + 1
      case (_, Some(number: Double)) => number + 0.5
      case (_, Some(sizes: Array[Int])) => sizes :+ 7
      case (_, Some(name: String)) => s"${name}_2"
      case (name, None) if name.endsWith("s") => Array("x")
      case (_, None) => "means"
      case (name, other) => fail(s"no other value for $name: $other")
    }

  /** The values of all Params, set or by default, as texts. */
  private def values(of: PipelineStage): Map[String, String] =
    of.params.toSeq
      .map(_.asInstanceOf[Param[Any]])
      .map { param =>
        val text = of.get(param).orElse(of.getDefault(param)) match {
          case Some(array: Array[?]) => array.mkString(",")
          case other => other.toString
        }
        param.name -> text
      }
      .toMap

  test("the package has the stages that the documentation names") {
    assert(
      stages.map(_.getSimpleName) == Seq(
        "CachedPipeline",
        "ImageClassifier",
        "ImageClassifierModel",
        "ImageFeaturizer",
        "ImageFileTransformer",
        "ImagePredictor",
        "TensorTransformer",
        "TransferClassifier",
        "TransferClassifierModel",
      )
    )
  }

  private def forEach(run: (PipelineStage, Path) => Any): Unit = forEachOf { (found, folder) =>
    run(if (found == classOf[ImageClassifierModel]) fitted else created(found, folder), folder)
  }

  /** For a test that sets Params. */
  private def forEachNew(run: (PipelineStage, Path) => Any): Unit =
    forEachOf((found, folder) => run(created(found, folder), folder))

  private def forEachOf(run: (Class[?], Path) => Any): Unit = stages.foreach { found =>
    withFolder(folder => withClue(s"${found.getSimpleName}: ")(run(found, folder)))
  }

  test("a saved stage loads at another place with its uid and Params, and gives the same rows") {
    forEach { (stage, folder) =>
      val rows = result(stage, input(folder))
      val loaded = reloaded(stage, folder)
      assert(loaded.getClass == stage.getClass)
      assert(loaded.uid == stage.uid)
      assert(result(loaded, input(folder)) == rows)
    }
  }

  test("every Param that is set survives saving") {
    forEachNew { (stage, folder) =>
      stage.params.foreach { param =>
        stage.set(param.asInstanceOf[Param[Any]], another(stage, param.asInstanceOf[Param[Any]]))
      }
      val loaded = reloaded(stage, folder)
      // But consent: the application that loads a stage gives it anew.
      val consent = "allowCode" -> "Some(false)"
      assert(values(loaded) == values(stage).map(one => if (one._1 == consent._1) consent else one))
    }
  }

  test("copy keeps the uid and the Params, and changes only the given ones") {
    forEach { (stage, folder) =>
      val param = number(stage)
      val before = own(stage).getOrDefault(param)
      val copied = stage.copy(ParamMap(param -> 7))
      assert(copied.getClass == stage.getClass)
      assert((copied.uid, own(copied).getOrDefault(param)) == ((stage.uid, 7)))
      assert(own(stage).getOrDefault(param) == before)
      assert(values(copied) - param.name == values(stage) - param.name)
      assert(result(copied, input(folder)) == result(stage, input(folder)))
    }
  }

  test("transformSchema gives the schema that transform gives") {
    forEach { (stage, folder) =>
      val table = input(folder)
      val expected = stage.transformSchema(table.schema)
      val found = stage match {
        case transformer: Transformer => transformer.transform(table).schema
        case estimator: Estimator[?] =>
          estimator.fit(table).asInstanceOf[Transformer].transform(table).schema
        case other => fail(other.toString)
      }
      def fields(schema: StructType): Seq[(String, String)] =
        schema.map(field => field.name -> field.dataType.simpleString)
      assert(fields(found) == fields(expected))
      assert(found.fieldNames.contains("error"))
    }
  }

  test("transformSchema refuses a missing column, a wrong type, an existing output and no model") {
    forEach { (stage, folder) =>
      val schema = input(folder).schema
      def refused(of: PipelineStage, schema: StructType): String =
        intercept[AnalysisException](of.transformSchema(schema)).getCondition
      assert(refused(stage, new StructType().add("id", IntegerType)) == "UNKNOWN_COLUMN")
      val numbers = StructType(schema.map(_.copy(dataType = IntegerType)))
      assert(refused(stage, numbers) == "WRONG_COLUMN_TYPE")
      val all = stage.transformSchema(schema)
      assert(refused(stage, all) == "OUTPUT_COLUMN_EXISTS")
      val nobody = stage.copy(ParamMap.empty)
      // The stages that run a model, which is not there.
      params(nobody).foreach { of =>
        of.setModel("nobody"): Unit
        assert(refused(nobody, schema) == "UNKNOWN_MODEL")
        of.clear(of.model): Unit
        assert(refused(nobody, schema) == "WRONG_PARAM")
      }
    }
  }

  test("explainParams has a text for each Param") {
    forEach { (stage, _) =>
      val lines = stage.explainParams().linesIterator.toSeq
      assert(lines.size == stage.params.length)
      lines.foreach(line => assert(line.matches("\\w+: .{10,}\\((?s).*\\)"), line))
    }
  }

  test("a pipeline with every stage saves, loads and gives the same rows") {
    withFolder { folder =>
      val table = input(folder)
      val pipeline = new Pipeline().setStages(
        Array[PipelineStage](
          new ImageFeaturizer().setModel(means),
          new ImagePredictor().setModel(colour).setOutputCol("colour"),
          new ImageFileTransformer().setModel(means),
          new TensorTransformer().setModel(iris),
          new ImageClassifier().setModel(means).setMaxIter(5),
          trainer.setOutputCol("trained"),
        )
      )
      val model = pipeline.fit(table)
      val expected = texts(model.transform(table))
      pipeline.write.save(s"$folder/pipeline")
      model.write.save(s"$folder/model")
      assert(texts(PipelineModel.load(s"$folder/model").transform(table)) == expected)
      assert(texts(Pipeline.load(s"$folder/pipeline").fit(table).transform(table)) == expected)
    }
  }
}

object StageContractSuite {

  /** The folder of the suite's training runs. */
  private lazy val runs: Path = {
    val folder = Files.createTempDirectory("sightline-runs-")
    sys.addShutdownHook(FileUtils.deleteQuietly(folder.toFile): Unit): Unit
    folder
  }
}
