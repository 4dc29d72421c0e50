package sightline.sql

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.streaming.StreamingRelationV2

import sightline.SightlineException
import sightline.source.FolderTable

/** Rejects `readStream.format("sightline")` when it is loaded, and suggests a source for streams. */
object RefuseStream extends (LogicalPlan => Unit) {

  override def apply(plan: LogicalPlan): Unit = plan.foreach {
    case stream: StreamingRelationV2 if stream.table.isInstanceOf[FolderTable] =>
      throw SightlineException("STREAM_NOT_SUPPORTED")
    case _ => ()
  }
}
