package org.apache.spark.sql.sightline

import java.nio.file.Files
import java.util.UUID
import java.util.zip.{ZipEntry, ZipOutputStream}

import scala.util.Using

import org.apache.spark.JobArtifactSet
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class SessionArchivesSuite extends AnyFunSuite with LocalSpark {

  test("an archive has one time in all sessions, so a node downloads it once") {
    val name = s"archive-${UUID.randomUUID}"
    val zip = Files.createTempDirectory("test").resolve(s"$name.zip")
    Using.resource(new ZipOutputStream(Files.newOutputStream(zip))) { out =>
      out.putNextEntry(new ZipEntry("model.onnx"))
    }
    val uri = s"${zip.toUri}#$name"
    val context = spark.sparkContext

    (1 to 3).foreach { _ =>
      SessionArchives.add(spark.newSession(), uri)
      Thread.sleep(2) // Spark's time of an addition is in milliseconds.
    }

    val times = for {
      (session, archives) <- context.addedArchives.toSeq
      (url, time) <- archives if url.endsWith(s"#$name")
    } yield (session, url, time)
    assert(times.map(_._1).distinct.size == 4, "three sessions, and jobs without a session")
    // Spark's cache on a node is by these two.
    assert(times.map { case (_, url, time) => url -> time }.distinct.size == 1)
  }

  test("an exception outside of sessions reaches the caller, in a session and without one") {
    def failing(): Unit = SessionArchives.outsideSessions {
      assert(JobArtifactSet.getCurrentJobArtifactState.isEmpty)
      throw new java.io.IOException("the disk is full")
    }
    val session = castToImpl(spark.newSession())
    assert(intercept[java.io.IOException](failing()).getMessage == "the disk is full")
    val inSession = intercept[java.io.IOException](session.artifactManager.withResources(failing()))
    assert(inSession.getMessage == "the disk is full")
  }
}
