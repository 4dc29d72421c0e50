package sightline.doctor

import org.apache.spark.SparkConf
import org.apache.spark.network.util.JavaUtils

import sightline.schedule.ResourceSettings

/** Spark's settings of memory. */
private[doctor] object MemorySettings {

  private val Pyspark = "spark.executor.pyspark.memory"
  private val MiB = 1L << 20
  // Spark writes one record batch while it sends another, and reads a file.
  private val DirectMiBForTask = 192L
  private val MaxDirect = """-XX:MaxDirectMemorySize=(\d+)([kmgKMG]?)""".r

  /** The memory of one Python worker in bytes; None if only the machine limits it. */
  def workerBytes(conf: SparkConf): Option[Long] = {
    val resources = new ResourceSettings(conf)
    val slots = resources.slots.getOrElse(1).max(1)
    val pyspark = mib(conf, Pyspark)
    if (isContainer(resources.master)) {
      val heap = mib(conf, "spark.executor.memory").getOrElse(1024L)
      val overhead = mib(conf, "spark.executor.memoryOverhead").getOrElse((heap / 10).max(384L))
      Some((overhead + pyspark.getOrElse(0L)) * MiB / slots)
    } else pyspark.map(_ * MiB / resources.executorCores.getOrElse(1))
  }

  def findings(conf: SparkConf): Seq[Finding] = {
    val resources = new ResourceSettings(conf)
    val limited = conf.getOption(Pyspark).filter(_ => resources.executorGpus > 0).map { memory =>
      Finding(
        "ADDRESS_SPACE_LIMITED",
        Severity.Warning,
        s"$Pyspark is $memory, and the executors have GPUs",
        "It limits the address space of a worker, and CUDA reserves much more than it uses.",
        s"Remove $Pyspark, and set spark.executor.memoryOverhead.",
      )
    }
    limited.toSeq ++ direct(conf, resources)
  }

  private def direct(conf: SparkConf, resources: ResourceSettings): Option[Finding] = {
    val kind = if (resources.isLocal) "driver" else "executor"
    val options = conf.get(s"spark.$kind.extraJavaOptions", "")
    // The JVM's default is the size of its heap.
    val limit = MaxDirect
      .findFirstMatchIn(options)
      .map(one => JavaUtils.byteStringAsBytes(s"${one.group(1)}${one.group(2)}") / MiB)
      .getOrElse(mib(conf, s"spark.$kind.memory").getOrElse(1024L))
    resources.slots.filter(_ > 0).map { slots =>
      val needed = slots * DirectMiBForTask
      if (needed > limit) {
        Finding(
          "DIRECT_MEMORY_SMALL",
          Severity.Warning,
          s"$slots tasks may need $needed MiB of direct memory, and the limit is $limit MiB",
          "Record batches are sent from direct memory; a task without it fails.",
          s"Add -XX:MaxDirectMemorySize=${needed}m to spark.$kind.extraJavaOptions.",
        )
      } else Finding("DIRECT_MEMORY", Severity.Ok, s"$limit MiB for $slots tasks")
    }
  }

  private def isContainer(master: String): Boolean =
    master.startsWith("yarn") || master.startsWith("k8s")

  private def mib(conf: SparkConf, key: String): Option[Long] =
    conf.getOption(key).map(JavaUtils.byteStringAsMb)
}
