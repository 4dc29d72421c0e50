package sightline.pca

import scala.jdk.CollectionConverters.*
import scala.util.Random

import org.apache.spark.sql.Row
import org.apache.spark.sql.types.{ArrayType, DoubleType, StructType}
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class ComponentFitSuite extends AnyFunSuite with LocalSpark {

  test("a fit of more partitions than one task merges is equal to that of one partition") {
    val random = new Random(5)
    // The mean is far above the deviations; the last feature is constant.
    val rows = Seq.fill(90) {
      val x = random.nextGaussian()
      Row(Seq(1e6 + x, 2 * x + random.nextGaussian(), random.nextGaussian() - 1e3, 0.1))
    }
    val schema = new StructType().add("features", ArrayType(DoubleType))
    val table = spark.createDataFrame(rows.asJava, schema)
    val one = ComponentFit(FeatureTable.packed(table.coalesce(1)), 4, 2)
    val many = ComponentFit(FeatureTable.packed(table.repartition(40)), 4, 2)
    assert(one.directions.size == 2 && one.shares.length == 4)
    assert((one.shares.sum - 1).abs < 1e-12)
    assert(many.deviations.last == 0 && many.means.last == 0.1)
    val pairs = Seq(
      one.means -> many.means,
      one.deviations -> many.deviations,
      one.shares -> many.shares,
    ) ++ one.directions.zip(many.directions)
    pairs.foreach { case (expected, found) =>
      expected.zip(found).foreach { case (a, b) =>
        assert((a - b).abs <= 1e-10 * math.max(1, a.abs))
      }
    }
  }
}
