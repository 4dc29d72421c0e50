"""Programs that the tests of tuning run with a Spark session of their own."""

SESSION = """
import contextlib, io, json, sys
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

jar, model, images, out = sys.argv[1:5]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")

def decoded():
    counters = spark._jvm.sightline.schedule.WorkerCounters.of(spark.sparkContext._jsc.sc())
    values = spark._jvm.scala.jdk.javaapi.CollectionConverters.asJava(counters.values())
    return int(dict(values).get("decoded", 0))

def persisted():
    return spark.sparkContext._jsc.getPersistentRDDs().size()
"""

SEARCHES = """
from sightline.cli.main import main

def tune(name, *more, images=images):
    out_, err = io.StringIO(), io.StringIO()
    before, kept = decoded(), persisted()
    fixed = ["--images", images, "--model", model, "--output", f"{out}/{name}"]
    small = ["--folds", "2", "--max-iter", "3:10", "--parallelism", "2"]
    with contextlib.redirect_stdout(out_), contextlib.redirect_stderr(err):
        status = main(["tune", *fixed, *small, *more])
    return {
        "status": status, "out": out_.getvalue(), "err": err.getvalue(),
        "decoded": decoded() - before, "persisted": persisted() - kept,
    }

mixed = ["--trials", "8", "--hidden-layers", "4,500000000", "--seed", "4"]
found = {
    "first": tune("first", *mixed),
    "again": tune("again", *mixed),
    "mlp": tune("mlp", "--trials", "1", "--head", "mlp", "--hidden-layers", "4"),
    "failed": tune("failed", "--trials", "2", "--head", "mlp", "--hidden-layers", "500000000"),
    "one_label": tune("one_label", images=f"{images}/red"),
    "few": tune("few", "--folds", "11"),
    "no_model": tune("no_model", "--model", "missing"),
    "conf": tune("conf", "--conf", "spark.x=y"),
}
from pyspark.ml import PipelineModel
for name in ("first", "mlp"):
    loaded = PipelineModel.load(f"{out}/{name}/model")
    rows = loaded.transform(spark.read.format("sightline").load(images))
    right = rows.where("predicted_label = label").count()
    stage = loaded.stages[0]
    found[f"saved_{name}"] = [type(stage).__name__, stage.getHead(), right, rows.count()]
print(json.dumps(found))
"""

GRID = """
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from sightline.ml import CachedPipeline, ImageFeaturizer

table = spark.read.format("sightline").load(images)
regression = LogisticRegression(labelCol="class", maxIter=3)
accuracy = MulticlassClassificationEvaluator(labelCol="class", metricName="accuracy")
points = ParamGridBuilder().addGrid(regression.regParam, [0.001, 0.1, 10.0]).build()
common = dict(estimator=regression, estimatorParamMaps=points, evaluator=accuracy, parallelism=2)
fold = F.pmod(F.xxhash64("path"), F.lit(2)).cast("int")
search = CrossValidator(numFolds=2, foldCol="fold", seed=5, **common)
featurizer = ImageFeaturizer(model=model, handleInvalid="skip")
indexer = StringIndexer(inputCol="label", outputCol="class")
table = table.withColumn("fold", fold)

found = {"images": table.count()}
def fit(pipeline):
    before, kept = decoded(), persisted()
    fitted = pipeline.fit(table)
    return fitted, [decoded() - before, persisted() - kept]

pipeline = CachedPipeline(stages=[featurizer, indexer, search])
fitted, found["grid"] = fit(pipeline)
split = TrainValidationSplit(seed=5, **common)
_, found["split"] = fit(CachedPipeline(stages=[featurizer, indexer, split]))
found["metrics"] = list(fitted.stages[-1].avgMetrics)

ready = fitted.stages[1].transform(featurizer.transform(table)).select("features", "class", "fold")
rows = ready.collect()
ready = spark.createDataFrame(rows, ready.schema).cache()
by_hand = []
for point in points:
    scores = []
    for k in range(2):
        one = regression.fit(ready.where(f"fold <> {k}"), point)
        scores.append(accuracy.evaluate(one.transform(ready.where(f"fold = {k}"))))
    by_hand.append(sum(scores) / 2)
found["by_hand"] = by_hand

pipeline.write().save(f"{out}/pipeline")
read = CachedPipeline.load(f"{out}/pipeline")
search_read = read.getStages()[-1]
found["read"] = [
    type(read).__name__, read.uid == pipeline.uid, search_read.getNumFolds(),
    search_read.getParallelism(), search_read.getSeed(), search_read.getFoldCol(),
    [list(point.values()) for point in search_read.getEstimatorParamMaps()],
]
fitted.write().save(f"{out}/fitted")
predictions = [
    [row.prediction for row in one.transform(table).orderBy("path").collect()]
    for one in (fitted, PipelineModel.load(f"{out}/fitted"))
]
found["same"] = predictions[0] == predictions[1]
plain = CachedPipeline(stages=[featurizer, indexer, regression])
plain.write().save(f"{out}/plain")
jvm = spark._jvm.sightline.ml.CachedPipeline.load(f"{out}/plain")
found["scala"] = [jvm.getClass().getName(), jvm.getStages()[2].getMaxIter()]
jvm.write().save(f"{out}/scala")
found["python"] = [type(s).__name__ for s in CachedPipeline.load(f"{out}/scala").getStages()]
found["copy"] = type(pipeline.copy()).__name__
print(json.dumps(found))
"""

BY_HAND = """
import csv
import numpy as np
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.sql import Window
from sightline.ml import ImageFeaturizer
from sklearn.linear_model import LogisticRegression as Sklearn

table = spark.read.format("sightline").load(images)
featured = ImageFeaturizer(model=model).transform(table)
order = Window.partitionBy("label").orderBy(F.xxhash64("path", F.lit(5)), "path")
folds = featured.withColumn("fold", (F.row_number().over(order) - 1) % 2)
rows = folds.select("path", "label", "features", "fold").orderBy("path").collect()
x = np.array([row.features.toArray() for row in rows])
y = np.array([row.label for row in rows])
fold = np.array([row.fold for row in rows])

def sklearn_score(regularisation):
    scores = []
    for k in range(2):
        train, test = fold != k, fold == k
        scale = x[train].std(axis=0, ddof=1)  # Spark scales the features by it
        scale[scale == 0] = 1
        fitted = Sklearn(C=1 / (regularisation * train.sum()), max_iter=2000, tol=1e-8)
        fitted.fit(x[train] / scale, y[train])
        scores.append(fitted.score(x[test] / scale, y[test]))
    return float(np.mean(scores))

with open(f"{out}/flowers/trials.csv", newline="") as stream:
    trials = list(csv.DictReader(stream))
found = {
    "tuned": [float(trial["accuracy"]) for trial in trials],
    "sklearn": [sklearn_score(float(trial["regParam"])) for trial in trials],
    "points": [float(trial["regParam"]) for trial in trials],
    "images": [int((y == label).sum()) for label in sorted(set(y))],
}
loaded = PipelineModel.load(f"{out}/flowers/model").transform(table)
found["fitted"] = loaded.where("predicted_label = label").count()
print(json.dumps(found))
"""
