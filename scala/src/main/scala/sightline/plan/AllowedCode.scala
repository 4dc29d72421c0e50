package sightline.plan

import scala.collection.concurrent.TrieMap

/**
 * The bundles whose own Python code the driver's program allows, by the hash of their manifest.
 *
 * PySpark calls it (`model_udf(…, allow_code=True)` of a plugin). SQL cannot, so a client of a SQL server
 * cannot allow code. A hash allows exactly the code that the program has seen.
 */
object AllowedCode {

  private val hashes = TrieMap.empty[String, Unit]

  /** Allows the code of one bundle until the JVM ends. */
  def add(sha256: String): Unit = hashes.put(sha256, ()): Unit

  /** Whether the code of that bundle is allowed. */
  def contains(sha256: String): Boolean = hashes.contains(sha256)
}
