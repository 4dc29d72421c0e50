package sightline.source

/** Divides the files of a scan into partitions. */
object PartitionPlan {

  /** Tasks for each slot: a few balance images of unequal size, more would only add start-up cost. */
  val TasksPerSlot = 4

  /** The minimum number of images in a partition, so that model batches are full. */
  private val MinFiles = 64

  /** The maximum bytes of a partition. They take minutes to decode; a lost task should cost no more. */
  val MaxBytes: Long = 512L << 20

  /** The maximum number of images of a partition, for tables whose bytes are not known. */
  val MaxFiles = 4096

  /** The cost of opening and decoding a file, in bytes; limits the tiny files of one task. */
  private val OpenCost = 16L << 10

  /**
   * Partitions of about equal bytes, the largest first, so that the last task is small. A partition of
   * several files has at most `MaxBytes` bytes and `MaxFiles` files.
   *
   * @param slots the number of tasks that run at the same time
   */
  def byBytes(files: IndexedSeq[ImageFile], slots: Int): IndexedSeq[IndexedSeq[ImageFile]] = {
    val bytes = files.iterator.map(weight).sum
    val target = math.max(1L, bytes / partitions(files.size, bytes, slots))
    // A file is in the partition in which its last byte is, so each partition is a contiguous range.
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

  /** The number of partitions for `rows` images that have `bytes` bytes together. */
  def partitions(rows: Long, bytes: Long, slots: Int): Long = {
    val full = math.max(1L, rows / MinFiles)
    val even = math.min(full, slots.toLong * TasksPerSlot)
    val busy = math.min(rows, slots.toLong)
    Seq(even, busy, upwards(bytes, MaxBytes), upwards(rows, MaxFiles.toLong), 1L).max
  }

  private def upwards(number: Long, by: Long): Long = (number + by - 1) / by

  /** Splits a partition that is above the limits. */
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
