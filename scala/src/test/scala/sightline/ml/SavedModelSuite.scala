package sightline.ml

import java.nio.file.{Files, Path}

import scala.util.{Try, Using}

import org.apache.commons.io.FileUtils
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.tuning.{CrossValidator, ParamGridBuilder}
import org.apache.spark.ml.{Pipeline, PipelineModel, PipelineStage}
import org.apache.spark.sql.AnalysisException
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** The models of saved stages: copies, references, changed ones, and other processes. */
final class SavedModelSuite extends AnyFunSuite with StageImages {

  private def featurizer = new ImageFeaturizer().setModel(means)

  private def features(stage: ImageFeaturizer): Seq[Int] =
    rows(stage.transform(table(red, green, blue))).map(_.getAs[Vector]("features").argmax)

  private def refused(run: => Any): (String, String) = {
    val error = intercept[AnalysisException](run: Unit)
    (error.getCondition, error.getMessage)
  }

  /** A copy of the bundle `means`, whose manifest can be changed. */
  private def copied(folder: Path): Path = {
    val bundle = folder.resolve("means")
    FileUtils.copyDirectory(Path.of(means).toFile, bundle.toFile)
    bundle
  }

  /** A copy of the bundle `means` with Python code of its own, for the backend pytorch. */
  private def withCode(folder: Path): Path = {
    val bundle = copied(folder)
    val manifest = bundle.resolve("model.json")
    val weights = """"pytorch": {"file": "model.onnx", "architecture": "mine:net"}, """
    val changed = Files
      .readString(manifest)
      .replaceFirst(
        "\"variants\"\\s*:\\s*\\{",
        java.util.regex.Matcher.quoteReplacement(s"""\"variants\": {$weights"""),
      )
    Files.writeString(manifest, changed): Unit
    bundle
  }

  private def change(bundle: Path): Unit = {
    val manifest = bundle.resolve("model.json")
    Files.writeString(manifest, Files.readString(manifest).replace("\"tests\"", "\"others\"")): Unit
  }

  test("a saved stage has the model's name, version, sha256 and a copy") {
    withFolder { folder =>
      featurizer.write.save(s"$folder/stage")
      val metadata = spark.read.json(s"$folder/stage/metadata").select("sightline.*").head()
      assert(metadata.getAs[String]("name") == "means")
      assert(metadata.getAs[String]("sha256") == sightline.ColourBundle.means.sha256)
      assert(metadata.getAs[String]("copy") == "model/means.zip")
      assert(Files.isRegularFile(folder.resolve("stage/model/means.zip")))
    }
  }

  test("the copy is used: the original may be gone, and so may the stage's folder") {
    withFolder { folder =>
      val bundle = copied(folder)
      featurizer.setModel(bundle.toString).write.save(s"$folder/stage")
      FileUtils.deleteDirectory(bundle.toFile)
      val loaded = ImageFeaturizer.load(s"$folder/stage")
      assert(loaded.getModel == bundle.toString)
      FileUtils.deleteDirectory(folder.resolve("stage").toFile)
      assert(features(loaded) == Seq(0, 1, 2))
      loaded.write.save(s"$folder/again")
      assert(features(ImageFeaturizer.load(s"$folder/again")) == Seq(0, 1, 2))
    }
  }

  test("a loaded stage can be saved over itself; a second save without overwrite is refused") {
    withFolder { folder =>
      featurizer.write.save(s"$folder/stage")
      val loaded = ImageFeaturizer.load(s"$folder/stage")
      intercept[java.io.IOException](loaded.write.save(s"$folder/stage")): Unit
      loaded.setBatchRows(3).write.overwrite().save(s"$folder/stage")
      val again = ImageFeaturizer.load(s"$folder/stage")
      assert(again.getBatchRows == 3)
      assert(features(again) == Seq(0, 1, 2))
    }
  }

  test("without a copy the stage refers to the model, and refuses a changed one with both hashes") {
    withFolder { folder =>
      val bundle = copied(folder)
      featurizer.setModel(bundle.toString).setModelCopy(false).write.save(s"$folder/stage")
      assert(!Files.exists(folder.resolve("stage/model")))
      val loaded = ImageFeaturizer.load(s"$folder/stage")
      assert(features(loaded) == Seq(0, 1, 2))
      val before = loaded.getModelSha256
      change(bundle)
      val after = sightline.model.Bundle.open(bundle).sha256
      Seq(refused(ImageFeaturizer.load(s"$folder/stage")), refused(features(loaded))).foreach {
        case (condition, message) =>
          assert(condition == "MODEL_CHANGED")
          Seq("'means'", before, after, loaded.uid).foreach(part => assert(message.contains(part)))
      }
      assert(features(loaded.setModel(bundle.toString)) == Seq(0, 1, 2))
    }
  }

  test("a changed copy is refused by the model's name, a changed manifest and a changed file") {
    withFolder { folder =>
      def tampered(name: String)(edit: Path => Unit): (String, String) = {
        featurizer.write.save(s"$folder/$name")
        val zip = folder.resolve(s"$name/model/means.zip")
        Using.resource(java.nio.file.FileSystems.newFileSystem(zip))(files =>
          edit(files.getPath("/"))
        )
        // Hadoop's local file system keeps a checksum of each file.
        Files.deleteIfExists(zip.resolveSibling(".means.zip.crc")): Unit
        refused(ImageFeaturizer.load(s"$folder/$name"))
      }
      val (condition, message) = tampered("manifest")(change)
      assert(condition == "MODEL_CHANGED")
      assert(message.contains("'means'") && "[0-9a-f]{64}".r.findAllIn(message).size == 2)
      val (other, file) = tampered("file") { root =>
        Files.writeString(root.resolve("labels.txt"), "a\nb\nc\n"): Unit
      }
      assert(other == "MODEL_CHANGED")
      assert(file.contains("'means'") && file.contains("labels.txt"))
    }
  }

  test(
    "a pipeline that another process loads elsewhere gives the same rows; it needs the extensions"
  ) {
    withFolder { folder =>
      Seq("1" -> red, "2" -> text, "3" -> blue).foreach { case (name, image) =>
        write(folder, s"images/$name.png", image)
      }
      val bundle = copied(folder)
      val model = new Pipeline()
        .setStages(
          Array[PipelineStage](
            featurizer.setModel(bundle.toString),
            new ImagePredictor().setModel(colour).setOutputCol("colour").setModelCopy(false),
          )
        )
        .fit(table(red))
      model.write.save(s"$folder/saved")
      val images = spark.read.format("sightline").load(s"$folder/images")
      val expected = StageProcess.rows(model, images)
      Files.move(folder.resolve("saved"), folder.resolve("moved"))
      FileUtils.deleteDirectory(bundle.toFile)
      val printed = StageProcess.run(s"$folder/moved", s"$folder/images")
      assert(
        printed.head.startsWith("MISSING_EXTENSIONS: the Spark session cannot run imageFeaturizer_")
      )
      assert(printed.tail == expected)
      assert(expected.size == 3)
      assert(StageProcess.rows(PipelineModel.load(s"$folder/moved"), images) == expected)
    }
  }

  /** The condition with which a stage is refused, if it is. */
  private def condition(stage: ImageFeaturizer): Option[String] =
    Try(stage.transformSchema(table(red).schema)).failed.toOption.collect {
      case error: AnalysisException => error.getCondition
    }

  test("a saved stage gives no consent to the model's own code, whatever is set after loading") {
    withFolder { folder =>
      val stage = featurizer.setModel(withCode(folder).toString).setAllowCode(true)
      assert(condition(stage.copy(ParamMap.empty).setBackend("pytorch")).isEmpty)
      stage.write.save(s"$folder/onnx")
      stage.setBackend("pytorch").write.save(s"$folder/pytorch")
      val loaded = ImageFeaturizer.load(s"$folder/onnx")
      assert(features(loaded) == Seq(0, 1, 2))
      assert(!loaded.getAllowCode)
      val both = Seq(loaded.setBackend("pytorch"), ImageFeaturizer.load(s"$folder/pytorch"))
      both.foreach(stage => assert(condition(stage).contains("CODE_NOT_ALLOWED")))
      // The application's own call is consent.
      both.foreach(stage => assert(condition(stage.setAllowCode(true)).isEmpty))
    }
  }

  test("nor does a file that was changed, or the grid of a saved CrossValidator") {
    withFolder { folder =>
      val stage = featurizer.setModel(withCode(folder).toString).setAllowCode(true)
      stage.setBackend("pytorch").write.save(s"$folder/stage")
      val metadata = folder.resolve("stage/metadata")
      val part = Using.resource(Files.list(metadata)) {
        _.filter(_.getFileName.toString.startsWith("part-")).findFirst.get
      }
      assert(Files.readString(part).contains("\"allowCode\":false"))
      val forged = Files.readString(part).replace("\"allowCode\":false", "\"allowCode\":true")
      Files.writeString(part, forged): Unit
      Files.deleteIfExists(part.resolveSibling(s".${part.getFileName}.crc")): Unit
      assert(condition(ImageFeaturizer.load(s"$folder/stage")).contains("CODE_NOT_ALLOWED"))

      val classifier = new ImageClassifier().setModel(stage.getModel).setBackend("pytorch")
      val grid = new ParamGridBuilder().addGrid(classifier.allowCode, Seq(true)).build()
      new CrossValidator()
        .setEstimator(classifier)
        .setEstimatorParamMaps(grid)
        .setEvaluator(new MulticlassClassificationEvaluator())
        .write
        .save(s"$folder/validator")
      val points = CrossValidator.load(s"$folder/validator").getEstimatorParamMaps
      assert(
        points.map(_.toSeq.map(pair => pair.param.name -> pair.value)).toSeq ==
          Seq(Seq("allowCode" -> false))
      )
    }
  }
}
