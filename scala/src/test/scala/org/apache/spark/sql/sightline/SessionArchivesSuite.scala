package org.apache.spark.sql.sightline

import org.apache.spark.JobArtifactSet
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class SessionArchivesSuite extends AnyFunSuite with LocalSpark {

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
