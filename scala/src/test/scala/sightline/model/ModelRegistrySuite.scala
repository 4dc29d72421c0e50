package sightline.model

import java.nio.file.attribute.FileTime
import java.nio.file.{Files, Path}
import java.util.concurrent.Executors

import scala.concurrent.duration.*
import scala.concurrent.{Await, ExecutionContext, Future}
import scala.jdk.CollectionConverters.*
import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path as HadoopPath
import org.apache.spark.sql.catalyst.analysis.caseInsensitiveResolution
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}

final class ModelRegistrySuite extends AnyFunSuite {

  private def registry(root: Path): ModelRegistry =
    new ModelRegistry(new HadoopPath(root.toUri), new Configuration, caseInsensitiveResolution)

  private def created(models: ModelRegistry, bundle: Bundle, replaces: Boolean): Try[Int] =
    Try(models.create("pets", bundle, "here", None, Map.empty, replaces)._1.number)

  private def files(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toList.sorted)

  /** The results of `work` for 0 until `count`, each on its own thread. */
  private def atOnce[A](count: Int)(work: Int => A): Seq[A] = {
    val threads = Executors.newFixedThreadPool(12)
    implicit val context: ExecutionContext = ExecutionContext.fromExecutor(threads)
    try Await.result(Future.traverse((1 to count).toList)(i => Future(work(i))), 3.minutes)
    finally threads.shutdownNow(): Unit
  }

  test("a model that is found while threads replace and drop it is complete") {
    withFolder { root =>
      val bundle = Bundle.open(TestBundle.in(root))
      atOnce(450) { i =>
        val models = registry(root)
        i % 3 match {
          case 0 => created(models, bundle, replaces = true).get: Unit
          case 1 => models.drop("pets")
          case _ =>
            models
              .find("pets", None)
              .foreach(found => assert(found.bundle == bundle.copy(folder = found.bundle.folder)))
        }
      }: Unit
      // The remaining files are complete too: each version has its bundle.
      val models = registry(root)
      created(models, bundle, replaces = true).get: Unit
      val left = models.versions("pets")
      left.foreach { version =>
        assert(
          models.find("pets", Some(version.number)).map(_.bundle.sha256).contains(bundle.sha256)
        )
      }
      val zips = left.flatMap(models.read).map(_.bundle)
      models.drop("pets")
      assert(models.find("pets", None).isEmpty)
      assert(files(root.resolve("_models")).intersect(zips).isEmpty)
      assert(files(root.resolve("_models")).filter(_.endsWith(".json")).isEmpty)
    }
  }

  test("if several threads create a model at once, one succeeds and the others leave no files") {
    withFolder { root =>
      val bundle = Bundle.open(TestBundle.in(root))
      val tries = atOnce(40)(_ => created(registry(root), bundle, replaces = false))
      assert(tries.flatMap(_.toOption) == Seq(1))
      val refused =
        tries.flatMap(_.failed.toOption).collect { case e: SightlineException => e.code }
      assert(refused == Seq.fill(39)("MODEL_EXISTS"))
      val kept = files(root.resolve("_models")).filterNot(_.startsWith("."))
      assert(kept.map(_.replaceAll("@.*\\.", "@*.")) == Seq("pets@*.json", "pets@*.zip"))
    }
  }

  test("drop removes files of the model that were abandoned a day ago, and keeps all others") {
    withFolder { root =>
      val models = registry(root)
      created(models, Bundle.open(TestBundle.in(root)), replaces = false).get: Unit
      val folder = root.resolve("_models")
      val old = FileTime.fromMillis(1)
      val hash = "0123456789abcdef" * 2
      val abandoned = Seq(s"pets@$hash.zip", ".pets@000002.json.part")
      val others = Seq(s"dogs@$hash.zip", "pets@notes.txt", "pets.zip", s"pets@$hash.zip.bak")
      (abandoned ++ others).foreach(name =>
        Files.setLastModifiedTime(write(folder, name, "x"), old)
      )
      write(folder, s"pets@${hash.reverse}.zip", "just begun"): Unit
      models.drop("pets")
      assert(files(folder) == (others :+ s"pets@${hash.reverse}.zip").sorted)
    }
  }
}
