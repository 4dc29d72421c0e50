package sightline.source

import scala.util.Random

import org.scalatest.funsuite.AnyFunSuite

final class PartitionPlanSuite extends AnyFunSuite {

  private val folder = ImageFolder("/images/", "", None)

  private def files(lengths: Seq[Long]): IndexedSeq[ImageFile] =
    lengths.zipWithIndex.map { case (length, i) =>
      ImageFile(folder, f"$i%06d.jpg", length, 0L)
    }.toIndexedSeq

  private def bytes(partition: Seq[ImageFile]): Long = partition.map(_.length).sum

  test("each file is in exactly one partition") {
    val random = new Random(1)
    val listed = files(Seq.fill(3000)(random.between(0L, 2_000_000L)))
    val plan = PartitionPlan.byBytes(listed, slots = 4)
    assert(plan.flatten.sortBy(_.path) == listed)
    assert(plan.forall(_.nonEmpty))
  }

  test("the largest partitions come first") {
    val random = new Random(2)
    val plan = PartitionPlan.byBytes(files(Seq.fill(999)(random.between(0L, 900_000L))), slots = 4)
    val sizes = plan.map(p => bytes(p) + p.size * (16L << 10))
    assert(sizes == sizes.sorted.reverse)
  }

  test("partitions have about the same number of bytes for files of mixed sizes") {
    val small = Seq.fill(2000)(10_000L)
    val large = Seq.fill(200)(1_000_000L)
    val plan = PartitionPlan.byBytes(files(small ++ large), slots = 4)
    val sizes = plan.map(p => bytes(p) + p.size * (16L << 10))
    assert((15 to 17).contains(plan.size))
    assert(sizes.init.max - sizes.init.min <= 2_000_000L)
  }

  test("many files give four tasks per slot") {
    assert(PartitionPlan.partitions(rows = 100_000, bytes = 1L << 30, slots = 8) == 32)
  }

  test("few files give at most as many partitions as there are slots or files") {
    assert(PartitionPlan.byBytes(files(Seq.fill(20)(50_000L)), slots = 4).size == 4)
    assert(PartitionPlan.byBytes(files(Seq(50_000L, 50_000L)), slots = 4).size == 2)
    assert(PartitionPlan.byBytes(files(Seq(1L)), slots = 4).size == 1)
  }

  test("a partition of small files has at most 512 MiB") {
    val plan = PartitionPlan.byBytes(files(Seq.fill(500)(20L << 20)), slots = 1)
    assert(plan.size >= 19)
    assert(plan.map(bytes).max <= (512L << 20))
  }

  test("no partition of several files exceeds MaxBytes or MaxFiles") {
    val random = new Random(3)
    val sizes = Seq(
      Seq.fill(51)(20L << 20),
      Seq.fill(1023)(1L << 20),
      Seq.fill(300)(random.between(1L, 60L << 20)),
      Seq.fill(20_000)(10L) ++ Seq.fill(40)(100L << 20),
      Seq.fill(8191)(1L),
      (1L << 30) +: Seq.fill(100)(9L << 20),
    )
    for {
      lengths <- sizes
      slots <- Seq(1, 4, 64)
    } {
      val plan = PartitionPlan.byBytes(files(lengths), slots)
      assert(plan.flatten.sortBy(_.path) == files(lengths))
      plan.foreach { partition =>
        assert(partition.size == 1 || bytes(partition) <= PartitionPlan.MaxBytes)
        assert(partition.size <= PartitionPlan.MaxFiles)
      }
    }
    assert(PartitionPlan.partitions(rows = 8191, bytes = 0, slots = 1) == 4)
    assert(PartitionPlan.partitions(rows = 100, bytes = (1L << 30) + 1, slots = 1) == 3)
  }

  test("empty files are also distributed over the partitions") {
    assert(PartitionPlan.byBytes(files(Seq.fill(1000)(0L)), slots = 2).map(_.size).max <= 150)
  }

  test("an empty folder plans zero partitions") {
    assert(PartitionPlan.byBytes(IndexedSeq.empty, slots = 4).isEmpty)
  }

  test("a million files are planned into about 245 partitions without losing a file") {
    val plan = PartitionPlan.byBytes(files(Seq.fill(1_000_000)(3_000L)), slots = 2)
    assert(plan.map(_.size).sum == 1_000_000)
    assert((240 to 250).contains(plan.size))
  }
}
