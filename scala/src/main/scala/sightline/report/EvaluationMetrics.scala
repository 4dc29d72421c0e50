package sightline.report

/** The SQL of an evaluation, which is printed with its results. */
object EvaluationMetrics {

  /** View of `path, label, label_id, prediction, error`. */
  val Predictions = "predictions"

  /** View of [[Judged]]. */
  val JudgedView = "judged"

  /** View of [[PerClass]]. */
  val PerClassView = "per_class"

  /** View of [[Matrix]]. */
  val MatrixView = "confusion_matrix"

  /** A row for each image: the true class, the predicted class, and whether they agree. */
  val Judged: String =
    """SELECT
      |  coalesce(string(label_id), label) AS actual_key,
      |  coalesce(label, string(label_id)) AS actual,
      |  label_id,
      |  if(label_id IS NULL, prediction.label, string(prediction.class_id)) AS predicted_key,
      |  prediction.label AS predicted,
      |  prediction.class_id AS predicted_id,
      |  error IS NOT NULL AS failed,
      |  CASE WHEN error IS NOT NULL THEN false
      |       WHEN label_id IS NOT NULL THEN label_id = prediction.class_id
      |       ELSE label = prediction.label END AS is_right,
      |  CASE WHEN error IS NOT NULL THEN false
      |       WHEN label_id IS NOT NULL AND array_contains(slice(prediction.top_k, 1, 5).class_id, label_id)
      |         OR label_id IS NULL AND array_contains(slice(prediction.top_k, 1, 5).label, label) THEN true
      |       -- A shorter list does not contain the fifth label.
      |       WHEN size(prediction.top_k) >= 5 THEN false END AS is_in_top5
      |FROM predictions""".stripMargin

  /** One row: counts and accuracies. */
  val Totals: String =
    """SELECT
      |  count(*) AS rows,
      |  count_if(failed) AS errors,
      |  count_if(actual_key IS NULL) AS unlabelled,
      |  count_if(is_right) / nullif(count(actual_key), 0) AS accuracy,
      |  count_if(is_right) / nullif(count_if(actual_key IS NOT NULL AND NOT failed), 0)
      |    AS accuracy_predicted,
      |  if(count_if(actual_key IS NOT NULL AND is_in_top5 IS NULL) > 0, NULL,
      |    count_if(is_in_top5) / nullif(count(actual_key), 0)) AS top5_accuracy
      |FROM judged""".stripMargin

  /** The most frequent true classes that occur in no prediction, with the number of their images. */
  val Unnamed: String =
    """WITH named AS (
      |  SELECT DISTINCT explode(prediction.top_k) AS class FROM predictions
      |), keys AS (
      |  SELECT class.label AS key FROM named UNION SELECT string(class.class_id) FROM named
      |)
      |SELECT min(actual) AS actual, count(*) AS images, sum(count(*)) OVER () AS all_images
      |FROM judged LEFT ANTI JOIN keys ON actual_key = key
      |WHERE actual_key IS NOT NULL
      |GROUP BY actual_key ORDER BY images DESC, actual LIMIT 10""".stripMargin

  /** A row for each class that is true or predicted somewhere. */
  val PerClass: String =
    """WITH actual AS (
      |  SELECT actual_key AS key, min(actual) AS label, min(label_id) AS class_id,
      |    count(*) AS support, count_if(is_right) AS hits
      |  FROM judged WHERE actual_key IS NOT NULL GROUP BY actual_key
      |), guessed AS (
      |  SELECT predicted_key AS key, min(predicted) AS label, min(predicted_id) AS class_id,
      |    count(*) AS predicted
      |  FROM judged WHERE actual_key IS NOT NULL AND NOT failed GROUP BY predicted_key
      |), counted AS (
      |  SELECT key, coalesce(actual.label, guessed.label) AS label,
      |    coalesce(actual.class_id, guessed.class_id) AS class_id,
      |    coalesce(support, 0) AS support, coalesce(predicted, 0) AS predicted,
      |    coalesce(hits, 0) AS hits
      |  FROM actual FULL OUTER JOIN guessed USING (key)
      |)
      |SELECT key, label, class_id, support, predicted,
      |  coalesce(hits / nullif(predicted, 0), 0.0) AS precision,
      |  coalesce(hits / nullif(support, 0), 0.0) AS recall,
      |  coalesce(2 * hits / nullif(support + predicted, 0), 0.0) AS f1
      |FROM counted ORDER BY class_id, label""".stripMargin

  /** A row for each pair of true and predicted class that occurs; an error predicts NULL. */
  val Matrix: String =
    """SELECT actual_key, min(actual) AS actual, min(label_id) AS actual_id,
      |  predicted_key, min(predicted) AS predicted, min(predicted_id) AS predicted_id,
      |  count(*) AS count
      |FROM judged WHERE actual_key IS NOT NULL
      |GROUP BY actual_key, predicted_key
      |ORDER BY actual_id, actual, count DESC, predicted_id, predicted""".stripMargin
}
