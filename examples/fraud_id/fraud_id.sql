-- The fraud-ID program: images to a SQL report, by one function.
--   spark-submit dist/sightline.jar sql -f examples/fraud_id/fraud_id.sql \
--     --set dataset=build/demo/dataset --set output=build/demo --repeat 2

CREATE OR REPLACE TEMPORARY VIEW image_data
USING csv OPTIONS (path '${dataset}/image_data.csv', header 'true');

-- A CSV of this size is one partition: its rows are dealt out, so that every core gets images.
CREATE OR REPLACE TEMPORARY VIEW cards AS
SELECT /*+ REPARTITION(4) */
  concat('${dataset}/', image_path) AS path, actual_class, int(actual_class_id) AS actual_class_id
FROM image_data;

-- title: Prediction Details (Spark SQL, pytorch)
INSERT OVERWRITE DIRECTORY '${output}/output_predictions/pytorch' USING parquet
SELECT path, actual_class, actual_class_id, result.*
FROM (SELECT *, get_image_inference_udf(path, 'pytorch') AS result FROM cards);

-- title: Prediction Details (Spark SQL, onnx)
INSERT OVERWRITE DIRECTORY '${output}/output_predictions/onnx' USING parquet
SELECT path, actual_class, actual_class_id, result.*
FROM (SELECT *, get_image_inference_udf(path, 'onnx') AS result FROM cards);

CREATE OR REPLACE TEMPORARY VIEW predictions AS
SELECT 'pytorch' AS backend, * FROM parquet.`${output}/output_predictions/pytorch`
UNION ALL
SELECT 'onnx' AS backend, * FROM parquet.`${output}/output_predictions/onnx`;

SELECT split_part(path, '/', -1) AS image, actual_class, label AS predicted_class,
  round(confidence, 4) AS confidence, transform_values(probabilities, (k, p) -> round(p, 4)) AS probabilities,
  error.code AS error
FROM predictions WHERE backend = 'pytorch' ORDER BY image LIMIT 10;

-- title: Confusion Matrix (Spark SQL, pytorch)
SELECT actual_class AS `actual \ predicted`,
  count_if(class_id = 0) AS crop_and_replace,
  count_if(class_id = 1) AS font_issue,
  count_if(class_id = 2) AS valid_id,
  count(error) AS errors
FROM predictions WHERE backend = 'pytorch' GROUP BY actual_class_id, actual_class ORDER BY actual_class_id;

-- title: Confusion Matrix (Spark SQL, onnx)
INSERT OVERWRITE DIRECTORY '${output}/confusion_matrix' USING csv OPTIONS (header 'true')
SELECT /*+ COALESCE(1) */ actual_class, label AS predicted_class, count(*) AS images
FROM predictions WHERE backend = 'onnx' GROUP BY actual_class, label ORDER BY actual_class, label;

SELECT backend, count(*) AS images, count(error) AS errors,
  round(100 * avg(int(class_id <=> actual_class_id)), 1) AS `accuracy %`,
  round(100 * count_if(actual_class_id < 2 AND class_id < 2) / count_if(actual_class_id < 2), 1)
    AS `forgeries caught %`
FROM predictions GROUP BY backend ORDER BY backend;
