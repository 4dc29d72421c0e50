package sightline.report

import java.util.concurrent.{Executors, ScheduledExecutorService}

/** Timers on a daemon thread, which does not keep the JVM running. */
private[sightline] object DaemonTimer {

  /** @param name the name of the timer's thread */
  def start(name: String): ScheduledExecutorService =
    Executors.newSingleThreadScheduledExecutor { task =>
      val thread = new Thread(task, name)
      thread.setDaemon(true)
      thread
    }
}
