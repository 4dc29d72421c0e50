package org.apache.spark.sql.sightline

import scala.collection.concurrent.TrieMap
import scala.concurrent.duration.Duration
import scala.concurrent.{Await, Promise}
import scala.util.Try

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.{JobArtifactSet, SparkContext}

/** Archives for the workers of a session's queries, and of jobs outside of queries. */
object SessionArchives {

  // Spark's name for the artifacts of jobs without a session.
  private val NoSession = "default"

  // By the archive's URL at the driver, which names the application's server and the archive's hash.
  private val firstTimes = TrieMap.empty[String, Long]

  /**
   * Adds an archive to the folder of the session's workers. Since Spark 4 a session that has its own
   * artifacts does not use those of `SparkContext.addArchive`. But jobs that Spark starts outside of a
   * session's query use only those: actions on `DataFrame.rdd`, with which MLlib fits, and streams.
   *
   * @param uri the archive's URI, with `#name` for the folder that it is unpacked to
   */
  def add(spark: SparkSession, uri: String): Unit = {
    val classic = castToImpl(spark)
    val context = classic.sparkContext
    classic.artifactManager.withResources(addOnce(context, uri))
    if (keys(context, NoSession, uri).isEmpty) outsideSessions(addOnce(context, uri))
  }

  /**
   * Adds an archive to the artifacts of this thread's jobs, with the time of its first addition. A node
   * keeps what it has downloaded by URL and time, so all sessions of an application share one download.
   */
  private def addOnce(context: SparkContext, uri: String): Unit = {
    context.addArchive(uri)
    val session = JobArtifactSet.getCurrentJobArtifactState.fold(NoSession)(_.uuid)
    keys(context, session, uri).foreach { key =>
      val added = context.addedArchives(session)
      added.get(key).foreach(time => added.put(key, firstTimes.getOrElseUpdate(key, time)))
    }
  }

  /**
   * Adds an archive to the session of the jobs that this thread starts. It is not always the session
   * that has planned the query: Spark plans a cached query in a copy of the session, and the first
   * session that reads the cache runs it.
   */
  private[sightline] def addToJob(context: SparkContext, uri: String): Unit =
    JobArtifactSet.getCurrentJobArtifactState.foreach { session =>
      if (keys(context, session.uuid, uri).isEmpty) addOnce(context, uri)
    }

  /** Whether a living session has the archive. */
  def isUsed(context: SparkContext, uri: String): Boolean =
    context.addedArchives.keys.exists(s => s != NoSession && keys(context, s, uri).nonEmpty)

  /** Removes an archive from those of jobs outside of queries. Nodes keep what they have unpacked. */
  def remove(context: SparkContext, uri: String): Unit =
    keys(context, NoSession, uri).foreach(context.addedArchives(NoSession).remove(_): Unit)

  private def keys(context: SparkContext, session: String, uri: String): Seq[String] =
    context.addedArchives
      .get(session)
      .toSeq
      .flatMap(_.keys)
      .filter(_.endsWith(uri.substring(uri.lastIndexOf('#'))))

  /** Runs `use` as a job without a session. */
  def outsideSessions[A](use: => A): A =
    if (JobArtifactSet.getCurrentJobArtifactState.isEmpty) use
    else {
      // The session of a job is a variable of its thread, which a new thread does not have.
      val done = Promise[A]()
      new Thread(() => done.complete(Try(use)): Unit).start()
      Await.result(done.future, Duration.Inf)
    }
}
