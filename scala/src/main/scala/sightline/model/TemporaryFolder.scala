package sightline.model

import java.nio.file.{Files, Path}

import org.apache.commons.io.FileUtils
import org.apache.hadoop.util.ShutdownHookManager

/** Folders of the driver that go when it does. */
private[sightline] object TemporaryFolder {

  // Before Hadoop's own hooks would close its file systems.
  private val HookPriority = 20

  def create(purpose: String): Path = {
    val folder = Files.createTempDirectory(s"sightline-$purpose-")
    ShutdownHookManager
      .get()
      .addShutdownHook(() => { FileUtils.deleteQuietly(folder.toFile): Unit }, HookPriority)
    folder
  }
}
