-- From a folder of photographs to an accuracy, by a SQL client and nothing else. With a Thrift server (docs/sql.md):
--   beeline -u jdbc:hive2://localhost:10000 --hivevar bundle=models/efficientnet_lite0 \
--     --hivevar images=../shared/data/imagenet/images --hivevar labels=../shared/data/imagenet/labels.csv \
--     -f examples/photographs/photographs.sql

CREATE OR REPLACE MODEL photographs USING '${bundle}'
COMMENT 'EfficientNet-Lite0, the 1,000 classes of ImageNet' OPTIONS (top_k 5);

DESCRIBE MODEL photographs;

CREATE OR REPLACE TEMPORARY VIEW labels
USING csv OPTIONS (path '${labels}', header 'true', inferSchema 'true');

-- Every photograph is read and inferred once, whatever is asked of it.
CREATE OR REPLACE TEMPORARY VIEW answers AS
SELECT concat('images/', relative_path) AS path, ml_predict('photographs', content) AS answer
FROM read_images('${images}');

SELECT count(*) AS images,
  count(answer.error) AS errors,
  round(avg(int(answer.class_id = class_id)), 3) AS top1,
  round(avg(int(exists(answer.top_k, k -> k.class_id = class_id))), 3) AS top5
FROM answers JOIN labels USING (path);

-- What the model is surest of, and wrong.
SELECT path, label, answer.label AS predicted, round(answer.score, 3) AS score
FROM answers JOIN labels USING (path)
WHERE answer.class_id <> class_id ORDER BY answer.score DESC LIMIT 5;
