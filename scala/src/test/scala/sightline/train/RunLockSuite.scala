package sightline.train

import java.nio.file.attribute.FileTime
import java.nio.file.{Files, Path}
import java.util.concurrent.{Callable, CyclicBarrier, Executors}

import scala.jdk.CollectionConverters.*
import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path as HadoopPath}
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}
import sightline.report.RunOwner

/** The owner of a training run; test_run_lock.py has the same cases for Python. */
final class RunLockSuite extends AnyFunSuite {

  private val fs = FileSystem.getLocal(new Configuration)

  private def hold[A](folder: Path)(use: => A): A =
    new RunLock(fs, new HadoopPath(folder.toUri.toString.stripSuffix("/")))(_ => use)

  private def owner(folder: Path): String =
    Files.readString(folder.resolve(RunLock.OwnerFile))

  private def age(file: Path, seconds: Long): Unit =
    Files.setLastModifiedTime(
      file,
      FileTime.fromMillis(System.currentTimeMillis - seconds * 1000),
    ): Unit

  // The process has this id, and began at another time than the one that writes the file.
  private def ended: String =
    RunOwner.current.copy(started = Some(1e9)).text(None, Some("2026-11-30T12:00:00Z"))

  test("a second run of the folder is refused until the first one ends") {
    withFolder { folder =>
      val run = folder.resolve("new/run")
      val error = hold(run) {
        assert(owner(run).contains(s"\"process\":${ProcessHandle.current.pid}"))
        write(run, "train.yaml", "seed: 0"): Unit
        intercept[SightlineException](hold(run)(fail("two owners")))
      }
      assert((error.code, error.exitStatus) == (("RUN_IN_USE", 2)))
      val text = s"${RunOwner.current.toString} writes the run $run since 20"
      assert(error.detail.startsWith(text), error.detail)
      hold(run)(assert(Files.exists(run.resolve("train.yaml"))))
      assert(!Files.exists(run.resolve(RunLock.OwnerFile)))
    }
  }

  test("the file of a process that has ended, also of this one, is replaced") {
    withFolder { folder =>
      val left = Seq(ended, RunOwner.current.text(Some("an earlier command"), None))
      left.foreach { text =>
        write(folder, RunLock.OwnerFile, text): Unit
        write(folder, RunLock.ClaimFile, ended): Unit
        hold(folder)(assert(owner(folder) != text))
        write(folder, "kept", ""): Unit
        assert(folder.toFile.list().toSeq == Seq("kept"))
      }
    }
  }

  test("an owner elsewhere has ended after five minutes without a beat") {
    withFolder { folder =>
      Seq(ended.replaceAll("\"host\":\"[^\"]*\"", "\"host\":\"elsewhere\""), "").foreach { text =>
        val file = write(folder, s"run/${RunLock.OwnerFile}", text)
        age(file, 240)
        val error = intercept[SightlineException](hold(folder.resolve("run"))(fail("in use")))
        assert(error.code == "RUN_IN_USE" && error.detail.contains("which was 24"), error.detail)
        assert(Files.readString(file) == text)
        age(file, 301)
        hold(folder.resolve("run"))(assert(owner(folder.resolve("run")) != text))
        assert(!Files.exists(folder.resolve("run")))
      }
    }
  }

  test("an owner on a machine of the same name may still write") {
    withFolder { folder =>
      val there = RunOwner.current.copy(started = Some(1e9), boot = Some("another"))
      val file = write(folder, s"run/${RunLock.OwnerFile}", there.text(None))
      val error = intercept[SightlineException](hold(folder.resolve("run"))(fail("in use")))
      assert(error.code == "RUN_IN_USE")
      // A file of an earlier version has no id.
      Files.writeString(file, there.copy(boot = None).text(None)): Unit
      hold(folder.resolve("run"))(assert(owner(folder.resolve("run")).contains("\"boot\":\"")))
    }
  }

  test("a run that fails is free for the next one") {
    withFolder { folder =>
      val run = folder.resolve("run")
      intercept[IllegalStateException](hold(run)(throw new IllegalStateException("no")))
      assert(!Files.exists(run))
      hold(run)(assert(Files.exists(run.resolve(RunLock.OwnerFile))))
    }
  }

  test("one of many processes replaces the owner that was killed") {
    withFolder { folder =>
      val pool = Executors.newFixedThreadPool(6)
      try {
        (1 to 20).foreach { number =>
          val run = folder.resolve(number.toString)
          write(folder, s"$number/${RunLock.OwnerFile}", ended): Unit
          val (together, tried) = (new CyclicBarrier(6), new CyclicBarrier(6))
          val attempt: Callable[Boolean] = () => {
            together.await()
            val isHeld = Try(hold(run)(tried.await())).isSuccess
            if (!isHeld) tried.await(): Unit
            isHeld
          }
          val found = pool.invokeAll(Seq.fill(6)(attempt).asJava).asScala.map(_.get)
          assert(found.count(identity) == 1)
        }
      } finally pool.shutdownNow(): Unit
    }
  }

  test("a folder that cannot be made is an error") {
    withFolder { folder =>
      write(folder, "file", "text"): Unit
      val error = intercept[SightlineException](hold(folder.resolve("file/run"))(()))
      assert(error.code == "OUTPUT_NOT_WRITABLE")
    }
  }
}
