package sightline.estimate

/**
 * CPU seconds of one image by part of the work.
 *
 * @param read opening and reading the file or the table's row, in the JVM
 * @param transfer sending the rows to the Python worker, and the results back
 * @param decode decoding and resizing
 * @param model the model and the ranking of its scores
 */
final case class PartCosts(read: Double, transfer: Double, decode: Double, model: Double) {
  def sum: Double = read + transfer + decode + model
}

/**
 * The measured costs of a sample of images, which a run's own operators read and inferred.
 *
 * @param images the number of images of the sample
 * @param errors the number of failed images by error code
 * @param slots the number of tasks that ran at the same time
 * @param cpu CPU seconds of an image, after the first batches
 * @param readSeconds wall time of a task that only reads an image
 * @param imageSeconds wall time of a task for an image, after the first batches
 * @param modelSeconds wall time of the model for an image; on a GPU it is mostly not CPU time
 * @param taskSeconds wall time of a task without its images
 * @param firstSeconds wall time of the first job without its images: the workers start and load the model
 */
final case class Measured(
    images: Long,
    errors: Map[String, Long],
    slots: Int,
    cpu: PartCosts,
    readSeconds: Double,
    imageSeconds: Double,
    modelSeconds: Double,
    taskSeconds: Double,
    firstSeconds: Double,
) {

  /**
   * The part that limits the speed. Reading does if a task waits for its images for half of its time;
   * else it is the part with the most CPU time.
   *
   * @param onGpu whether the model runs on a GPU
   */
  def bottleneck(onGpu: Boolean): String = {
    val parts = Seq(
      "model" -> (if (onGpu) modelSeconds else cpu.model),
      "decode" -> cpu.decode,
      "read" -> (cpu.read + cpu.transfer),
    )
    if (readSeconds > imageSeconds / 2) "read" else parts.maxBy(_._2)._1
  }
}
