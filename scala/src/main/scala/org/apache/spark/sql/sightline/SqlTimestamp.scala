package org.apache.spark.sql.sightline

import java.time.ZoneId

import org.apache.spark.sql.catalyst.util.DateTimeUtils
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.unsafe.types.UTF8String

/** Timestamps as Spark's SQL reads them. */
object SqlTimestamp {

  /**
   * Milliseconds since 1970; None for a text that is not a timestamp.
   *
   * @param zone of a text that states none; None: the session's time zone
   */
  def millis(text: String, zone: Option[ZoneId]): Option[Long] = {
    val at = zone.getOrElse(DateTimeUtils.getZoneId(SQLConf.get.sessionLocalTimeZone))
    DateTimeUtils
      .stringToTimestamp(UTF8String.fromString(text), at)
      .map(DateTimeUtils.microsToMillis)
  }
}
