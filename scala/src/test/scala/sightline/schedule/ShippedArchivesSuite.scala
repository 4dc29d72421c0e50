package sightline.schedule

import java.awt.Color
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, Paths}
import java.util.UUID

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.spark.sql.SparkSession
import org.scalatest.concurrent.Eventually
import org.scalatest.funsuite.AnyFunSuite
import org.scalatest.time.{Seconds, Span}

import sightline.model.{Bundle, TemporaryFolder}
import sightline.{ColourBundle, LocalSpark, TestImage}

/** The archives on the driver of models that were shipped to the nodes. */
final class ShippedArchivesSuite extends AnyFunSuite with LocalSpark with Eventually {

  // Idle threads of Spark keep a session for a minute. A full garbage collection for each look is not free.
  implicit override val patienceConfig: PatienceConfig =
    PatienceConfig(timeout = Span(180, Seconds), interval = Span(5, Seconds))

  /** A bundle whose hash is unique to this test. */
  private def newBundle(): Path = {
    val folder = TemporaryFolder.create("test").resolve("colour")
    Files.createDirectories(folder)
    Using.resource(Files.list(ColourBundle.models.resolve("colour"))) {
      _.iterator.asScala.foreach(file => Files.copy(file, folder.resolve(file.getFileName)))
    }
    val manifest = folder.resolve("model.json")
    val text = Files.readString(manifest, UTF_8)
    Files.writeString(manifest, text.replace("\"MIT\"", s"\"${UUID.randomUUID}\""))
    folder
  }

  private def archiveOf(bundle: Path): Option[Path] = {
    val name = s"sightline-model-${Bundle.open(bundle).sha256.take(32)}.zip"
    Using.resource(
      Files.newDirectoryStream(Paths.get(sys.props("java.io.tmpdir")), "sightline-ship-*")
    ) {
      _.asScala.map(_.resolve(name)).find(Files.exists(_))
    }
  }

  private def labels(session: SparkSession, bundle: Path): Seq[String] = {
    val images = Seq(1 -> TestImage.of(Color.RED), 2 -> TestImage.of(Color.BLUE))
    session
      .createDataFrame(images)
      .toDF("id", "content")
      .repartition(2)
      .selectExpr("id", s"ml_predict('$bundle', content).label AS label")
      .orderBy("id")
      .collect()
      .map(_.getString(1))
      .toSeq
  }

  test("an archive is deleted when no session uses it, and created again when it is needed") {
    val (forgotten, kept) = (newBundle(), newBundle())
    val living = spark.newSession()
    assert(labels(living, kept) == Seq("red", "blue"))
    assert(labels(spark.newSession(), forgotten) == Seq("red", "blue"))
    assert(archiveOf(forgotten).isDefined)

    eventually {
      System.gc()
      ShippedArchives.shipBundle(spark.newSession(), ColourBundle.bundle)
      assert(archiveOf(forgotten).isEmpty)
    }

    assert(archiveOf(kept).isDefined)
    assert(labels(living, kept) == Seq("red", "blue"))
    assert(labels(spark.newSession(), forgotten) == Seq("red", "blue"))
    assert(archiveOf(forgotten).isDefined)
  }

  private def withImages(session: SparkSession, view: String): Unit =
    session
      .createDataFrame(Seq(1 -> TestImage.of(Color.RED), 2 -> TestImage.of(Color.BLUE)))
      .toDF("id", "content")
      .createOrReplaceGlobalTempView(view)

  private def answers(session: SparkSession, table: String): Seq[String] =
    session.sql(s"SELECT label FROM $table ORDER BY id").collect().map(_.getString(0)).toSeq

  test("CACHE TABLE can be the first statement of a session that uses a model") {
    val session = spark.newSession()
    withImages(session, "cached_images")
    session.sql(
      s"""CACHE TABLE cached AS
         |SELECT id, ml_predict('${newBundle()}', content).label AS label FROM global_temp.cached_images""".stripMargin
    ): Unit
    try assert(answers(session, "cached") == Seq("red", "blue"))
    finally session.sql("UNCACHE TABLE cached"): Unit
  }

  test("a session can be the first that reads what another session has marked for the cache") {
    val (session, bundle) = (spark.newSession(), newBundle())
    withImages(session, "marked_images")
    session.sql(
      s"""CREATE GLOBAL TEMP VIEW marked AS
         |SELECT id, ml_predict('$bundle', content).label AS label FROM global_temp.marked_images""".stripMargin
    ): Unit
    session.sql("CACHE LAZY TABLE global_temp.marked"): Unit
    val second = spark.newSession()
    try assert(answers(second, "global_temp.marked") == Seq("red", "blue"))
    finally session.sql("DROP VIEW global_temp.marked"): Unit
  }
}
