package sightline.vectors

import scala.util.Random

import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class FeatureDriftSuite extends AnyFunSuite with LocalSpark {

  private def frame(rows: Seq[Seq[Float]]): DataFrame =
    spark.createDataFrame(rows.map(Tuple1(_))).toDF("features").repartition(3)

  private def gaussian(seed: Int, rows: Int, mean: Seq[Double]): Seq[Seq[Float]] = {
    val random = new Random(seed)
    Seq.fill(rows)(mean.map(m => (m + random.nextGaussian()).toFloat))
  }

  private def measures(report: DataFrame): Map[(Option[Int], String), (Double, Option[String])] =
    report
      .collect()
      .map { row =>
        (Option(row.get(0)).map(_.asInstanceOf[Int]), row.getString(1)) ->
          (row.getDouble(2) -> Option(row.getString(3)))
      }
      .toMap

  test("the numbers are those of the formulas") {
    // Means (1, 2) and (3, 2); covariances diag(2, 2) and diag(8, 2).
    val scale = math.sqrt(1.5).toFloat
    def around(centre: Seq[Float], factor: Seq[Float]) = for {
      x <- Seq(-1f, 1f)
      y <- Seq(-1f, 1f)
    } yield Seq(centre(0) + factor(0) * x * scale, centre(1) + factor(1) * y * scale)
    val report = measures(
      FeatureDrift()
        .compare(frame(around(Seq(1, 2), Seq(1, 1))), frame(around(Seq(3, 2), Seq(2, 1))))
    )
    // Variances 4/3 · 1.5 = 2 and 8; Fréchet: 2² + (√2 − √8)² = 6.
    assert(math.abs(report((None, "frechet_distance"))._1 - 6) < 1e-5)
    assert(math.abs(report((Some(0), "mean_shift"))._1 - 2 / math.sqrt(2)) < 1e-6)
    assert(math.abs(report((Some(1), "mean_shift"))._1) < 1e-6)
    assert(report((None, "rows_reference"))._1 == 4)
    assert(report((None, "rows_current"))._1 == 4)
  }

  test("the Fréchet distance uses the correlations") {
    // Equal means and variances; the correlation is 1 in one set and -1 in the other.
    val along = (-2 to 2).map(x => Seq(x.toFloat, x.toFloat))
    val across = (-2 to 2).map(x => Seq(x.toFloat, -x.toFloat))
    val report = measures(FeatureDrift().compare(frame(along), frame(across)))
    // The product of the covariances is 0, so the distance is the sum of the traces: 2 · (2.5 + 2.5).
    assert(math.abs(report((None, "frechet_distance"))._1 - 10) < 1e-5)
  }

  test("two samples of one distribution have no drift") {
    val mean = Seq.fill(20)(1.0)
    val report =
      measures(
        FeatureDrift().compare(frame(gaussian(1, 1500, mean)), frame(gaussian(2, 900, mean)))
      )
    assert(report((None, "domain_classifier_auc"))._2.contains("none"))
    assert(math.abs(report((None, "domain_classifier_auc"))._1 - 0.5) < 0.06)
    assert(report((None, "drifted_features")) == (0.0 -> Some("none")))
    assert(report((None, "frechet_distance"))._1 < 0.5)
    (0 until 20).foreach(i => assert(report((Some(i), "psi"))._2.contains("none")))
  }

  test("fewer vectors than features of one distribution have no drift") {
    val mean = Seq.fill(200)(0.0)
    val report =
      measures(FeatureDrift().compare(frame(gaussian(3, 60, mean)), frame(gaussian(4, 60, mean))))
    assert(report((None, "domain_classifier_auc"))._2.contains("none"))
    assert(report((None, "drifted_features"))._2.contains("none"))
  }

  test("the drifted features are named, and the sets are told apart") {
    val mean = Seq.fill(10)(0.0)
    val moved = mean.updated(3, 2.0)
    val report = measures(
      FeatureDrift().compare(frame(gaussian(5, 1000, mean)), frame(gaussian(6, 1000, moved)))
    )
    assert(report((Some(3), "psi"))._2.contains("large"))
    assert(report((Some(3), "mean_shift"))._2.contains("large"))
    assert(math.abs(report((Some(3), "mean_shift"))._1 - 2) < 0.15)
    assert(report((Some(4), "psi"))._2.contains("none"))
    assert(report((None, "drifted_features"))._1 == 0.1)
    // Two normal distributions two deviations apart: Φ(2/√2) = 0.921.
    assert(math.abs(report((None, "domain_classifier_auc"))._1 - 0.921) < 0.03)
    assert(report((None, "domain_classifier_auc"))._2.contains("large"))
  }

  test("PSI is the formula over the deciles of the reference") {
    val reference = (0 until 100).map(_.toFloat).toArray
    val equal = StabilityIndex(reference, reference)
    assert(equal.value == 0 && equal.verdict == "none")
    // All current values in the lowest bin: shares (10.5, 10.5, …)/105 and (100.5, 0.5, …)/105.
    val low = StabilityIndex(reference, Array.fill(100)(1f))
    val expected = 90.0 / 105 * math.log(100.5 / 10.5) + 9 * (-10.0 / 105) * math.log(0.5 / 10.5)
    assert(math.abs(low.value - expected) < 1e-9)
    assert(low.verdict == "large")
    // A constant feature.
    assert(StabilityIndex(Array.fill(9)(0f), Array.fill(9)(0f)).value == 0)
    assert(StabilityIndex(Array.fill(90)(0f), Array.fill(90)(-1f)).verdict == "large")
  }

  test("PSI finds that a value that is several deciles of the reference has become rarer") {
    def zeros(count: Int) = Array.fill(count)(0f) ++ Array.fill(1000 - count)(1f)
    assert(StabilityIndex(zeros(1000), Array.fill(1000)(5f)).verdict == "large")
    assert(StabilityIndex(zeros(950), zeros(950)).value == 0)
    // The bins below 0, of 0, and above: shares (0.5, 950.5, 50.5)/1001.5 and (0.5, 500.5, 500.5)/1001.5.
    val expected = (450 * math.log(950.5 / 500.5) + 450 * math.log(500.5 / 50.5)) / 1001.5
    val index = StabilityIndex(zeros(950), zeros(500))
    assert(math.abs(index.value - expected) < 1e-9)
    assert(index.verdict == "large")
  }

  test("the Fréchet distance of equal sets is not negative") {
    val reference = frame(Seq.fill(33)(Seq(0.1f)))
    val current = frame(Seq.fill(7001)(Seq(0.1f)))
    val distance =
      measures(FeatureDrift().compare(reference, current))((None, "frechet_distance"))._1
    assert(distance >= 0 && distance < 1e-9)
  }

  test("vectors of large finite numbers are compared") {
    val large = frame(gaussian(10, 50, Seq(0, 0)).map(_.map(_ * 1e20f)))
    assert(measures(FeatureDrift().compare(large, large))((None, "rows_current"))._1 == 50)
  }

  test("a sample has the share of copies that the set has") {
    // One vector is half of the current set, whichever it is.
    val reference = frame(gaussian(11, 6000, Seq(0)))
    Seq(-1f, 0f, 1f).foreach { copy =>
      val current = frame(gaussian(12, 3000, Seq(0)) ++ Seq.fill(3000)(Seq(copy)))
      val value = measures(FeatureDrift().compare(reference, current))((Some(0), "psi"))._1
      // Shares of 0.1 in the reference; about 0.55 in one bin and 0.05 in the others.
      val expected = 0.45 * math.log(5.5) + 9 * 0.05 * math.log(2)
      assert(math.abs(value - expected) < 0.15, copy)
    }
  }

  test("the area under the ROC curve counts equal scores one half") {
    assert(DomainClassifier.auc(Array(1, 2, 3), Array(4, 5)) == 1)
    assert(DomainClassifier.auc(Array(1, 2), Array(1, 2)) == 0.5)
    assert(DomainClassifier.auc(Array(0, 1), Array(1, 3)) == 0.875)
  }

  test("feature_drift is a table function of two tables") {
    frame(gaussian(7, 300, Seq(0, 0))).createOrReplaceTempView("trained")
    frame(gaussian(8, 300, Seq(5, 0)))
      .withColumnRenamed("features", "v")
      .createOrReplaceTempView("now")
    val report = spark.sql(
      """SELECT feature, measure, verdict
        |FROM feature_drift(TABLE(trained), TABLE(SELECT v AS features FROM now))
        |WHERE verdict = 'large' ORDER BY feature, measure""".stripMargin
    )
    assert(
      report.collect().toSeq == Seq(
        Row(None.orNull, "domain_classifier_auc", "large"),
        Row(None.orNull, "drifted_features", "large"),
        Row(0, "mean_shift", "large"),
        Row(0, "psi", "large"),
      )
    )
    assert(FeatureDrift("v").compare(spark.table("now"), spark.table("now")).count() == 9)
  }

  test("rows without finite numbers are not compared, and an empty set is an error") {
    val good = frame(gaussian(9, 50, Seq(0, 0)))
    val bad = frame(Seq(Seq(Float.NaN, 1f), Seq(1f, Float.PositiveInfinity), Seq.empty))
      .unionAll(spark.sql("SELECT CAST(NULL AS ARRAY<FLOAT>)"))
    val report = measures(FeatureDrift().compare(good, good.unionAll(bad)))
    assert(report((None, "rows_current"))._1 == 50)
    val error = intercept[Exception](FeatureDrift().compare(good, bad).collect())
    assert(error.getMessage.contains("WRONG_ARGUMENTS"))
    assert(error.getMessage.contains("its table current has fewer than two vectors"))
    val mixed =
      intercept[Exception](FeatureDrift().compare(good, frame(gaussian(1, 5, Seq(0)))).collect())
    assert(mixed.getMessage.contains("feature_drift must have the same dimension"))
  }

  test("wrong columns are one sentence when the query is analysed") {
    spark.sql("SELECT array(1) AS features").createOrReplaceTempView("integers")
    val error = intercept[AnalysisException] {
      spark.sql("SELECT * FROM feature_drift(TABLE(integers), TABLE(integers))")
    }
    assert(error.getCondition == "WRONG_COLUMN_TYPE")
  }
}
