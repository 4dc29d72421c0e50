package sightline.doctor

import org.apache.spark.SparkConf

import sightline.schedule.ResourceSettings
import sightline.schedule.ResourceSettings.{ExecutorGpus, TaskGpus, shown}

/** Checks of Spark's settings, which need neither Python nor an executor. */
private[doctor] object SettingChecks {

  def findings(conf: SparkConf, device: String): Seq[Finding] = {
    val resources = new ResourceSettings(conf)
    val blocked = Finding.catching(resources.requireStart())
    blocked ++ gpus(resources, device) ++ MemorySettings.findings(conf)
  }

  private def gpus(resources: ResourceSettings, device: String): Seq[Finding] = {
    val none = Option.when(device == "cuda" && !resources.isLocal && resources.taskGpus == 0) {
      Finding.of(
        "DEVICE_UNAVAILABLE",
        s"cuda was requested, but $TaskGpus is not set, so Spark assigns no GPU to a task. " +
          s"Set $TaskGpus=1, $ExecutorGpus=1 and spark.executor.resource.gpu.discoveryScript.",
      )
    }
    val idle = for {
      slots <- resources.slots
      if resources.taskGpus > 0 && slots * resources.taskGpus < resources.executorGpus
    } yield Finding(
      "GPUS_IDLE",
      Severity.Warning,
      s"an executor has ${shown(resources.executorGpus)} GPUs, but its $slots tasks use only " +
        s"${shown(slots * resources.taskGpus)}",
      "The other GPUs are paid for and never used.",
      s"Use one GPU for an executor ($ExecutorGpus=1), or give it more cores.",
    )
    none.toSeq ++ idle
  }
}
