package sightline.cli

import java.nio.file.{Files, Path}

import org.json4s.*
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}
import sightline.ml.TransferClassifier
import sightline.train.{SplitShares, TrainOutput, Training}

/** The options of `train` and its files of options; tests/train/ trains. */
final class TrainCommandSuite extends AnyFunSuite with CommandRuns {

  private def parsed(words: Any*): Training =
    TrainCommand.parse(words.map(_.toString)).training

  private def refused(words: Any*): SightlineException = intercept[SightlineException](
    parsed(Seq("--images", "flowers", "--output", "run") ++ words: _*): Unit
  )

  test("the defaults are those of the Python command") {
    val run = parsed("--images", "flowers", "--output", "out/run")
    val defaults = Map[String, JValue](
      "architecture" -> JString("resnet50"),
      "weights" -> JString("DEFAULT"),
      "image_size" -> JInt(224),
      "epochs" -> JInt(10),
      "batch_size" -> JInt(64),
      "optimizer" -> JString("adam"),
      "learning_rate" -> JDouble(1e-3),
      "momentum" -> JDouble(0.9),
      "checkpoint_every" -> JInt(2),
      "keep" -> JInt(3),
      "mean" -> JNull,
    )
    defaults.foreach { case (name, value) => assert(run.settings \ name == value, name) }
    assert((run.model, run.workers, run.start) == (("run", 1, TrainOutput.New)))
  }

  test("the defaults are those of the estimator TransferClassifier") {
    val run = parsed("--images", "flowers", "--output", "out/run")
    val estimator = new TransferClassifier()
    assert(run.settings == estimator.trainSettings)
    assert(run.source.shares == SplitShares.parse(estimator.getSplit))
    assert(run.source.maxErrorRate == estimator.getMaxErrorRate)
    assert(run.source.images.maxImageBytes == estimator.getMaxImageBytes)
    assert(
      (run.seed, run.workers, run.device) == ((estimator.getSeed, estimator.getWorkers, "auto"))
    )
    assert(
      (run.cache, run.cacheBytes) == ((estimator.getCache, (estimator.getCacheGb * 1e9).toLong))
    )
  }

  test("the command line overrides the file of options") {
    withFolder { folder =>
      val config = write(
        folder,
        "c.yaml",
        "images: flowers\nepochs: 20\nlearning_rate: 1e-4\nmean: [0.1, 0.2, 0.3]\nworkers: 2\n" +
          "overwrite: true\nresume: false\ngroup-column:\n",
      )
      val run = parsed("--config", config, "--output", folder.resolve("run"), "--epochs=3")
      assert(run.settings \ "epochs" == JInt(3))
      assert(run.settings \ "learning_rate" == JDouble(1e-4))
      assert(run.settings \ "mean" == JArray(List(0.1, 0.2, 0.3).map(JDouble(_))))
      assert((run.workers, run.start, run.source.groupColumn) == ((2, TrainOutput.Replace, None)))
    }
  }

  test("a resumed run has its own options, the file of options overrides them") {
    withFolder { folder =>
      val first = parsed("--images", "flowers", "--output", folder, "--epochs", 7, "--seed", 5)
      write(folder, "train.yaml", first.saved): Unit
      val config = write(folder, "c.yaml", "epochs: 9\n")
      val resumed = parsed("--resume", "--output", folder, "--config", config)
      assert(resumed.source.images.images == "flowers")
      assert(resumed.settings \ "epochs" == JInt(9))
      assert((resumed.seed, resumed.start) == ((5L, TrainOutput.Resume)))
    }
  }

  test("a wrong option or file of options is refused before Spark starts") {
    assert(refused("--optimizer", "lion").code == "UNKNOWN_OPTIMIZER")
    assert(refused("--scheduler", "none").code == "UNKNOWN_SCHEDULER")
    assert(refused("--augment", "mixup").code == "UNKNOWN_AUGMENT")
    assert(refused("--batch-norm", "freeze").code == "UNKNOWN_BATCH_NORM")
    assert(refused("--precision", "int8").code == "UNKNOWN_PRECISION")
    assert(refused("--device", "tpu").code == "UNKNOWN_DEVICE")
    val invalid = Seq("epochs", "batch-size", "workers", "keep", "classes", "mean", "cache-gb")
    invalid.foreach(name => assert(refused(s"--$name", "0,1").code == "INVALID_OPTION", name))
    assert(refused("--split", "0.9/0.2/0.1").code == "INVALID_OPTION")
    assert(refused("--architecture-arguments", "[1]").code == "INVALID_OPTION")
    assert(refused("--resume", "--overwrite").code == "WRONG_ARGUMENTS")
    assert(refused("--mlflow", "http://127.0.0.1:5000").code == "WRONG_ARGUMENTS")
    withFolder { folder =>
      Seq(
        "epoch: 3" -> "has the option 'epoch'. Known: architecture, ",
        "epochs: {a: 1}" -> "gives the option 'epochs' more than one value.",
        "epochs: 1\nepochs: 2" -> "has the option 'epochs' twice.",
        "[1, 2]" -> "has no options",
        "a: [" -> "cannot be read",
      ).foreach { case (text, reason) =>
        val error = refused("--config", write(folder, "c.yaml", text))
        assert(error.code == "BAD_CONFIG" && error.detail.contains(reason), text)
      }
    }
  }

  test("an output that exists is refused before a task starts, and keeps its files") {
    withFolder { folder =>
      def output(names: String*): Path = {
        names.foreach(name => write(folder, s"run/$name", "mine"): Unit)
        folder.resolve("run")
      }
      def train(words: Any*): Output =
        run(Seq("train", "--images", folder, "--output", folder.resolve("run")) ++ words: _*)
      assertWrong(train("--resume"), s"NO_CHECKPOINT: $folder/run is no run of train")
      output("notes.txt"): Unit
      assertWrong(train(), "OUTPUT_EXISTS")
      assertWrong(train("--overwrite"), "OUTPUT_NOT_OURS")
      output("train.yaml", "images/a.jpg"): Unit
      val inside = folder.resolve("run/images")
      assertWrong(
        run("train", "--images", inside, "--output", folder.resolve("run"), "--overwrite"),
        "OUTPUT_HOLDS_INPUT",
      )
      assertWrong(train("--overwrite", "--workers", 9), "OUTPUT_NOT_OURS") // notes.txt
      assert(Files.exists(folder.resolve("run/notes.txt")))
    }
  }
}
