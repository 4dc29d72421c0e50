package org.apache.spark.sql.sightline

import java.awt.Color

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.execution.SQLExecution
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.unsafe.types.UTF8String
import org.scalatest.funsuite.AnyFunSuite

import sightline.{ColourBundle, LocalSpark, TestImage}

final class SmallRecordBatchesSuite extends AnyFunSuite with LocalSpark {

  private val setting = SQLConf.ARROW_EXECUTION_MAX_BYTES_PER_BATCH.key
  private val zone = SQLConf.SESSION_LOCAL_TIMEZONE.key

  /** The limit and the time zone that an operator of a task reads. */
  private def read(settings: (String, String)*): Seq[(Long, String)] = {
    val session = spark.asInstanceOf[SparkSession]
    val conf = session.sessionState.conf
    settings.foreach { case (key, value) => conf.setConfString(key, value) }
    try {
      val rows = spark.sparkContext.parallelize(Seq(1, 2), 2).mapPartitions { _ =>
        val now = SQLConf.get
        val zone = UTF8String.fromString(now.sessionLocalTimeZone)
        Iterator(InternalRow(now.arrowMaxBytesPerBatch, zone))
      }
      SQLExecution.withSQLConfPropagated(session) {
        SmallRecordBatches(rows, conf).map(r => (r.getLong(0), r.getString(1))).collect().toSeq
      }
    } finally settings.foreach { case (key, _) => conf.unsetConf(key) }
  }

  test("an operator sends at most 8 MiB at once, and has the other settings of the session") {
    assert(read(zone -> "Asia/Tokyo") == Seq.fill(2)((8L << 20, "Asia/Tokyo")))
  }

  test("a limit that the user sets is kept") {
    assert(read(setting -> "1000000", zone -> "UTC") == Seq.fill(2)((1000000L, "UTC")))
  }

  test("a function below the model in the same stage has the session's own limit") {
    val session = spark
    import session.implicits.*
    val images = Seq(Color.RED, Color.BLUE).map(TestImage.of(_)).toDS().repartition(1)
    images
      .mapPartitions { rows =>
        val limit = SQLConf.get.arrowMaxBytesPerBatch
        rows.map(limit -> _)
      }
      .toDF("bytes", "content")
      .createOrReplaceTempView("limits")
    val colour = ColourBundle.bundle.folder
    val queries = Seq(
      s"SELECT bytes, ml_predict('$colour', content).label FROM limits ORDER BY 2",
      s"SELECT bytes, prediction.label FROM ml_predict(TABLE(limits), '$colour') ORDER BY 2",
    )
    try
      queries.foreach { query =>
        val rows = spark.sql(query).collect().map(r => (r.getLong(0), r.getString(1))).toSeq
        assert(rows == Seq((64L << 20, "blue"), (64L << 20, "red")), query)
      }
    finally spark.catalog.dropTempView("limits"): Unit
  }
}
