-- Predicts a folder of photographs and computes the accuracy, with a SQL client only. Start a Thrift server (docs/sql.md), then:
--   beeline -u jdbc:hive2://localhost:10000 --hivevar bundle=models/efficientnet_lite0 \
--     --hivevar images=IMAGES --hivevar labels=LABELS.csv -f examples/photographs/photographs.sql
-- IMAGES is a folder of photographs. LABELS.csv has the columns path (images/FILE), label and class_id (ImageNet's 0 to 999).

CREATE OR REPLACE MODEL photographs USING '${bundle}'
COMMENT 'EfficientNet-Lite0, the 1,000 classes of ImageNet' OPTIONS (top_k 5);

DESCRIBE MODEL photographs;

CREATE OR REPLACE TEMPORARY VIEW labels
USING csv OPTIONS (path '${labels}', header 'true', inferSchema 'true');

-- Each query on this view reads and infers each photograph once.
CREATE OR REPLACE TEMPORARY VIEW answers AS
SELECT concat('images/', relative_path) AS path, ml_predict('photographs', content) AS answer
FROM read_images('${images}');

SELECT count(*) AS images,
  count(answer.error) AS errors,
  round(avg(int(answer.class_id = class_id)), 3) AS top1,
  round(avg(int(exists(answer.top_k, k -> k.class_id = class_id))), 3) AS top5
FROM answers JOIN labels USING (path);

-- The five wrong predictions with the highest scores.
SELECT path, label, answer.label AS predicted, round(answer.score, 3) AS score
FROM answers JOIN labels USING (path)
WHERE answer.class_id <> class_id ORDER BY answer.score DESC LIMIT 5;
