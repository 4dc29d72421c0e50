package sightline.cli

import java.awt.Color
import java.nio.file.attribute.FileTime
import java.nio.file.{Files, Path}

import scala.sys.process.{Process, ProcessLogger}

import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, TestImage}

/** A run deletes only the output that it replaces and the files of killed runs. */
final class OverwriteSuite extends AnyFunSuite with ColourPredictions {

  private def predictTo(images: Any, output: Any, more: Any*): Output =
    run(
      Seq[Any]("predict", "--images", images, "--model", model, "--output", output) ++ more: _*
    )

  private def photos(folder: Path, name: String): Path = {
    write(folder, s"$name/a.png", TestImage.of(Color.RED)): Unit
    write(folder, s"$name/b.png", TestImage.of(Color.BLUE)): Unit
    folder.resolve(name)
  }

  private def assertSpared(folder: Path, images: Any, more: Any*): Assertion = {
    val output = predictTo(images, folder, "--overwrite" +: more: _*)
    assert(output.status == 2, output.err)
    assert(output.lastError.startsWith(s"sightline: OUTPUT_HOLDS_INPUT: $folder holds "), images)
    assert(names(folder) == Seq("a.png", "b.png"), images)
  }

  test("an output that contains the images is rejected for every form of their path") {
    withFolder { folder =>
      val own = photos(folder, "phötos 1")
      Files.createSymbolicLink(folder.resolve("link"), own): Unit
      Seq(
        s"$own",
        s"$own/*.png",
        s"file:$own/*.png",
        s"file:$own/a.png",
        s"$folder/link/*.png",
        s"$folder/l*/*.png",
        s"$folder/ph?tos 1/a.png",
        s"$folder/*/a.png",
        s"$folder/link/../link",
      ).foreach(images => assertSpared(own, images))
    }
  }

  test("an output that contains the targets of links in the folder of images is rejected") {
    withFolder { folder =>
      val own = photos(folder, "own")
      Files.createDirectories(folder.resolve("files"))
      Files.createSymbolicLink(folder.resolve("files/x.png"), own.resolve("a.png")): Unit
      Files.createDirectories(folder.resolve("folders"))
      Files.createSymbolicLink(folder.resolve("folders/x"), own): Unit
      assertSpared(own, folder.resolve("files"))
      assertSpared(own, folder.resolve("folders"))
    }
  }

  test("an output that contains a file from a table of paths is rejected") {
    withFolder { folder =>
      val own = photos(folder, "own")
      write(folder, "other/c.png", TestImage.of(Color.GREEN)): Unit
      Files.createSymbolicLink(folder.resolve("x.png"), own.resolve("b.png")): Unit
      Seq(s"$own/a.png", "own/a.png", "other/../own/a.png", s"file:$own/a.png", "x.png").foreach {
        path =>
          val table = write(folder, "t.csv", s"path\nother/c.png\n$path\n")
          assertSpared(own, table)
      }
      val table = write(folder, "t.csv", "path\nc.png\na.png\n")
      assertSpared(own, table, "--root", own)
      assertSpared(own, table, "--root", own, "--limit", 1)
    }
  }

  test("an output that contains the model is rejected") {
    withFolder { folder =>
      val images = photos(folder, "images")
      assert(Process(Seq("cp", "-r", model, s"$folder/model")).! == 0)
      val output = run(
        Seq("predict", "--images", images, "--model", s"$folder/model", "--overwrite") ++
          Seq("--output", s"$folder/model"): _*
      )
      assert(output.lastError.startsWith(s"sightline: OUTPUT_HOLDS_INPUT: $folder/model holds "))
      assert(Files.exists(folder.resolve("model/model.json")))
    }
  }

  test("pack-images and features also reject an output that contains their images") {
    withFolder { folder =>
      val own = photos(folder, "own.parquet")
      val table = write(folder, "t.csv", "path\nown.parquet/a.png\n")
      val commands = Seq(
        Seq[Any]("pack-images", "--images", table),
        Seq[Any]("pack-images", "--images", s"$own/*.png"),
        Seq[Any]("features", "--images", table, "--model", ColourBundle.means.folder),
      )
      commands.foreach { command =>
        val output = run(command ++ Seq("--output", own, "--overwrite"): _*)
        assert(output.lastError.startsWith(s"sightline: OUTPUT_HOLDS_INPUT: $own holds "), command)
        assert(names(own) == Seq("a.png", "b.png"))
      }
    }
  }

  test("an output whose name only starts with the name of the images' folder is replaced") {
    withFolder { folder =>
      val own = photos(folder, "own")
      write(folder, "own2/_run/run.json", "{}"): Unit
      write(folder, "own2/old", "old"): Unit
      assert(predictTo(own, s"$folder/own2", "--overwrite").status == 0)
      assert(spark.read.parquet(s"$folder/own2").count() == 2)
      assert(names(own) == Seq("a.png", "b.png"))
    }
  }

  test("--overwrite rejects an existing path that is not the output of a run") {
    withFolder { folder =>
      val own = photos(folder, "own")
      write(folder, "important/thesis.txt", "years of work"): Unit
      write(folder, "plain", "a file"): Unit
      Seq("important", "plain").foreach { name =>
        val output = predictTo(own, s"$folder/$name", "--overwrite")
        assert(output.status == 2)
        assert(output.lastError.startsWith(s"sightline: OUTPUT_NOT_OURS: 'file:$folder/$name'"))
      }
      assert(Files.readString(folder.resolve("important/thesis.txt")) == "years of work")
      assert(Files.readString(folder.resolve("plain")) == "a file")
    }
  }

  test("an output inside the predictions to evaluate or inside a packed table is rejected") {
    withFolder { folder =>
      val own = photos(folder, "own")
      val table = s"$folder/packed.parquet"
      assert(run("pack-images", "--images", own, "--output", table).status == 0)
      val within = predictTo(table, s"$table/x")
      assert(within.status == 2)
      assert(within.lastError.startsWith(s"sightline: OUTPUT_IN_INPUT: '$table/x'"))
      assert(predictTo(table, s"$folder/out").status == 0)
      val evaluation =
        run(
          "evaluate",
          "--predictions",
          s"$folder/out",
          "--output",
          s"$folder/out/_run",
          "--overwrite",
        )
      assert(evaluation.status == 2)
      assert(evaluation.lastError.startsWith(s"sightline: OUTPUT_IN_INPUT: '$folder/out/_run'"))
      assert(Files.exists(folder.resolve("out/_run/run.json")))
    }
  }

  test("an existing output is rejected and kept without --overwrite, and replaced with it") {
    withFolder { folder =>
      write(folder, "out/_run/run.json", "{}")
      write(folder, "out/old", "old")
      val refused = predict(folder, images(folder))
      assert(refused.status == 2)
      assert(refused.lastError.startsWith(s"sightline: OUTPUT_EXISTS: $folder/out exists already"))
      assert(Files.readString(folder.resolve("out/old")) == "old")
      assert(predict(folder, images(folder), "--overwrite").status == 0)
      assert(names(folder) == Seq("images", "out"))
      assert(!Files.exists(folder.resolve("out/old")))
    }
  }

  test("--overwrite rejects an output that is a parent folder of the images") {
    withFolder { folder =>
      val all = images(folder)
      val output =
        run("predict", "--images", s"$all/red", "--model", model, "--output", all, "--overwrite")
      assert(output.status == 2)
      assert(output.lastError.startsWith("sightline: OUTPUT_HOLDS_INPUT"))
      assert(Files.exists(all.resolve("red/a.png")))
    }
  }

  /** Writes the files of a killed run beside `out`: one output for each kind, and its owner. */
  private def leave(folder: Path, id: String, process: String, kinds: String*): Unit = {
    kinds.foreach(kind => write(folder, s"out.$kind-$id/part-0", kind): Unit)
    if (process.nonEmpty) write(folder, s".out.run-$id", process): Unit
  }

  private def owner(process: Long, started: String, host: String = here.host): String = {
    val namespace = here.namespace.fold("null")(name => s""""$name"""")
    s"""{"host":"$host","namespace":$namespace,"process":$process,"process_started":$started}"""
  }

  private lazy val here = sightline.report.RunOwner.current

  /** The id of a process that has ended. */
  private lazy val dead: Long =
    Process(Seq("sh", "-c", "echo $$")).!!(ProcessLogger(_ => ())).trim.toLong

  test("the next run removes the incomplete output of a killed run and reports it") {
    withFolder { folder =>
      leave(folder, "0000000a", owner(dead, "1.5"), "incomplete")
      // The id of a running process that started later than the owner.
      leave(folder, "0000000b", owner(here.process, "1.5"), "incomplete")
      // The owner is on another machine and has not updated its file for a day.
      leave(folder, "0000000c", owner(1, "1.5", host = "elsewhere"), "incomplete")
      val yesterday = FileTime.fromMillis(System.currentTimeMillis - 24 * 3600 * 1000)
      Files.setLastModifiedTime(folder.resolve(".out.run-0000000c"), yesterday): Unit
      leave(folder, "0000000d", owner(dead, "1.5"))
      val output = predictTo(photos(folder, "images"), s"$folder/out")
      assert(output.status == 0, output.err)
      assert(output.err.contains("out.incomplete-0000000a is removed: a run that was killed"))
      assert(names(folder) == Seq("images", "out"))
    }
  }

  test(
    "the next run keeps incomplete outputs of a running process and those of unknown owners"
  ) {
    withFolder { folder =>
      val started = here.started.get.toString
      leave(folder, "0000000a", owner(here.process, started), "incomplete", "replaced")
      leave(folder, "0000000b", "", "incomplete", "replaced")
      leave(folder, "0000000c", "no JSON", "incomplete")
      leave(folder, "0000000d", owner(1, "1.5", host = "elsewhere"), "incomplete")
      leave(folder, "more", owner(dead, "1.5"), "incomplete")
      write(folder, "out2.incomplete-0000000e/part-0", ""): Unit
      val before = names(folder)
      val output = predictTo(photos(folder, "images"), s"$folder/out")
      assert(output.status == 0, output.err)
      assert(names(folder) == (before ++ Seq("images", "out")).sorted)
      Seq(
        "out.incomplete-0000000a is left alone: another run writes",
        "out.incomplete-0000000b is left alone: its owner is unknown.",
        "out.incomplete-0000000c is left alone: its owner",
        "out.incomplete-0000000d is left alone: another run writes",
      ).foreach(line => assert(output.err.contains(line), output.err))
    }
  }

  test(
    "an output that a killed run had moved is restored, or removed if there is a new one"
  ) {
    withFolder { folder =>
      leave(folder, "0000000a", owner(dead, "1.5"), "incomplete", "replaced")
      val images = photos(folder, "images")
      val refused = predictTo(images, s"$folder/out")
      assert(refused.err.contains(s"$folder/out is put back"))
      assert(refused.lastError.startsWith("sightline: OUTPUT_EXISTS"))
      assert(names(folder) == Seq("images", "out"))
      assert(Files.readString(folder.resolve("out/part-0")) == "replaced")
      leave(folder, "0000000b", owner(dead, "1.5"), "replaced")
      assert(predictTo(images, s"$folder/out").err.contains("out.replaced-0000000b is removed"))
      assert(names(folder) == Seq("images", "out"))
      // The killed run wrote no new output, and `out` is another run's: both are kept.
      leave(folder, "0000000c", owner(dead, "1.5"), "incomplete", "replaced")
      predictTo(images, s"$folder/out"): Unit
      assert(names(folder) == Seq("images", "out", "out.replaced-0000000c"))
    }
  }

  test("an output that cannot be written is rejected before any image is read") {
    withFolder { folder =>
      val file = write(folder, "file", "x")
      val output = predictTo(photos(folder, "images"), s"$file/out")
      assert(output.status == 2, output.err)
      assert(output.lastError.startsWith("sightline: OUTPUT_NOT_WRITABLE: "), output.err)
      assert(!output.hasTrace)
    }
  }
}
