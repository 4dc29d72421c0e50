package sightline.source

/** How many partitions a scan gets, and which files go together. */
object PartitionPlan {

  /** A few tasks for each slot even out unequal images; more only cost start-up. */
  val TasksPerSlot = 4

  /** Fewer images than a model batch or two would leave batches half empty. */
  private val MinFiles = 64

  /** So many bytes take minutes to decode: a lost task should not cost more. */
  val MaxBytes: Long = 512L << 20

  /** The same in images, where bytes are not known; slots may still be few when a run starts. */
  val MaxFiles = 4096

  /** What opening and decoding any file costs, in bytes read: keeps tiny files from one task. */
  private val OpenCost = 16L << 10

  /**
   * Partitions of about equal bytes, the largest first, so that the last task is a small one. None
   * has more than `MaxBytes`, but for a single file, or more than `MaxFiles` files.
   *
   * @param slots tasks that run at once
   */
  def byBytes(files: IndexedSeq[ImageFile], slots: Int): IndexedSeq[IndexedSeq[ImageFile]] = {
    val bytes = files.iterator.map(weight).sum
    val target = math.max(1L, bytes / partitions(files.size, bytes, slots))
    // The partition in which a file ends is a number that never falls, so cutting is enough.
    val starts = files.iterator
      .scanLeft(0L)(_ + weight(_))
      .drop(1)
      .map(end => (end - 1) / target)
      .zipWithIndex
      .distinctBy { case (partition, _) => partition }
      .map { case (_, first) => first }
      .toIndexedSeq
    starts
      .zip(starts.drop(1) :+ files.size)
      .flatMap { case (from, until) => capped(files.slice(from, until)) }
      .sortBy(-_.iterator.map(weight).sum)
  }

  /** How many partitions `rows` images of `bytes` in all are worth. */
  def partitions(rows: Long, bytes: Long, slots: Int): Long = {
    val full = math.max(1L, rows / MinFiles)
    val even = math.min(full, slots.toLong * TasksPerSlot)
    val busy = math.min(rows, slots.toLong)
    Seq(even, busy, upwards(bytes, MaxBytes), upwards(rows, MaxFiles.toLong), 1L).max
  }

  private def upwards(number: Long, by: Long): Long = (number + by - 1) / by

  /** Cut where the next file would be too much; most partitions stay as they are. */
  private def capped(files: IndexedSeq[ImageFile]): IndexedSeq[IndexedSeq[ImageFile]] = {
    val starts = files.indices
      .scanLeft((0, 0, 0L)) { case ((start, _, bytes), next) =>
        val more = bytes + weight(files(next))
        if (next > start && (more > MaxBytes || next - start >= MaxFiles)) {
          (next, next, weight(files(next)))
        } else (start, next, more)
      }
      .map { case (start, _, _) => start }
      .distinct
    starts.zip(starts.drop(1) :+ files.size).map { case (from, until) => files.slice(from, until) }
  }

  private def weight(file: ImageFile): Long = file.length + OpenCost
}
