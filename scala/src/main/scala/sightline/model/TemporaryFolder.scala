package sightline.model

import java.nio.file.{Files, Path}

import org.apache.commons.io.FileUtils
import org.apache.hadoop.util.ShutdownHookManager

/** Temporary folders of the driver, deleted when its JVM ends. */
private[sightline] object TemporaryFolder {

  // Higher than Hadoop's own hooks, which close its file systems.
  private val HookPriority = 20

  def create(purpose: String): Path = {
    val folder = Files.createTempDirectory(s"sightline-$purpose-")
    ShutdownHookManager
      .get()
      .addShutdownHook(() => { FileUtils.deleteQuietly(folder.toFile): Unit }, HookPriority)
    folder
  }
}
