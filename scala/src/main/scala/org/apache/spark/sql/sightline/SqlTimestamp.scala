package org.apache.spark.sql.sightline

import java.time.ZoneId

import org.apache.spark.sql.catalyst.util.DateTimeUtils
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.unsafe.types.UTF8String

/** Parses timestamps with the rules of Spark SQL. */
object SqlTimestamp {

  /**
   * The timestamp in milliseconds since 1970; None if the text is not a timestamp.
   *
   * @param zone the time zone for a text without one; None: the session's time zone
   */
  def millis(text: String, zone: Option[ZoneId]): Option[Long] = {
    val at = zone.getOrElse(DateTimeUtils.getZoneId(SQLConf.get.sessionLocalTimeZone))
    DateTimeUtils
      .stringToTimestamp(UTF8String.fromString(text), at)
      .map(DateTimeUtils.microsToMillis)
  }
}
