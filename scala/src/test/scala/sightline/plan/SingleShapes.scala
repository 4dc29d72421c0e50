package sightline.plan

import sightline.plan.QueryShape.Ran

/** Queries that are not combinations of places and conditions. */
object SingleShapes {

  private def result(calls: ModelCalls): String =
    s"(SELECT id, ${calls.colour("content")} AS r FROM images)"

  private def twoModels(calls: ModelCalls): String = {
    val label = s"${calls.colour("content")}.label"
    s"(SELECT id, $label AS a, IF($label = 'red', ${calls.means("content")}.score, 0) AS b FROM images)"
  }

  def all: Seq[QueryShape] = Seq(
    QueryShape(
      "LIMIT",
      Ran(1, 2),
      c => s"SELECT id, ${c.colour("content")}.label FROM images LIMIT 2",
      rows = false,
    ),
    QueryShape(
      "table function, LIMIT",
      Ran(1, 2),
      c => s"SELECT id, prediction.label FROM ${c.table("images")} LIMIT 2",
      rows = false,
    ),
    QueryShape(
      "three equal calls",
      Ran(1, 9),
      c => {
        val f = c.colour("content")
        s"SELECT id, $f.label, $f.score, size($f.top_k) FROM images"
      },
    ),
    QueryShape(
      "view, called again",
      Ran(1, 9),
      c => s"SELECT r.label, ${c.colour("content")}.score FROM ${c.answers}",
    ),
    QueryShape(
      "two models",
      Ran(2, 18),
      c => s"SELECT ${c.colour("content")}.label, ${c.means("content")}.score FROM images",
    ),
    QueryShape(
      "features beside a prediction",
      Ran(2, 18),
      c => s"SELECT ${c.colour("content")}.label, ${c.features("content")}.features FROM images",
    ),
    QueryShape(
      "an image by its path, in SELECT and WHERE",
      Ran(1, 9),
      c =>
        s"SELECT id, ${c.file("file")}.label FROM images WHERE ${c.file("file")}.confidence > 0.5",
    ),
    QueryShape(
      "an image by its path, in groups by path",
      Ran(1, 9),
      c => s"SELECT ${c.file("file")}.label, count(*) FROM images GROUP BY file",
    ),
    QueryShape(
      "a plain call outside, a guarded one inside",
      Ran(1, 9),
      c => {
        val f = c.colour("content")
        s"SELECT a, $f.score FROM (SELECT content, IF(k = 1, $f.label, 'other') AS a FROM images)"
      },
    ),
    QueryShape(
      "CASE in WHERE, and the same call in SELECT",
      Ran(1, 9),
      c => {
        val f = c.colour("content")
        s"SELECT id, $f.label FROM images WHERE CASE WHEN k = 1 THEN $f.label = 'red' ELSE true END"
      },
    ),
    QueryShape(
      "a call of an aggregate",
      Ran(1, 2),
      c => s"SELECT folder, ${c.colour("min_by(content, id)")}.label FROM images GROUP BY folder",
    ),
    QueryShape(
      "a choice by a random number",
      Ran(1, 9),
      c => s"SELECT id, ${c.colour("IF(rand() < 2, content, NULL)")}.label FROM images",
    ),
    QueryShape(
      "SQL function in SELECT and WHERE",
      Ran(1, 9),
      c => s"SELECT id, ${c.label("content")} FROM images WHERE ${c.label("content")} <> 'blue'",
    ),
    QueryShape(
      "SQL function beside its call",
      Ran(1, 9),
      c => s"SELECT id, ${c.label("content")}, ${c.colour("content")}.score FROM images",
    ),
    QueryShape(
      "SQL function in a relation that is joined with itself",
      Ran(1, 9),
      c => {
        val relation = s"(SELECT id, ${c.label("content")} AS a FROM images)"
        s"SELECT x.id, y.id FROM $relation x JOIN $relation y ON x.a = y.a AND x.id < y.id"
      },
    ),
    QueryShape(
      "two calls over one WITH",
      Ran(1, 9),
      c => {
        val x = s"(SELECT id, ${c.colour("content")} AS r FROM w)"
        s"WITH w AS (SELECT id, content FROM images) SELECT x.r.label FROM $x x JOIN $x y ON x.id = y.id"
      },
    ),
    QueryShape(
      "count(*) of the view beside it",
      Ran(1, 3),
      c =>
        s"SELECT r.label FROM ${c.answers} WHERE folder = 'red' " +
          s"AND (SELECT count(*) FROM ${c.answers}) > 5",
    ),
    QueryShape(
      "UNION ALL of two limits",
      Ran(1, 2),
      c =>
        s"(SELECT r.label FROM ${c.answers} ORDER BY id LIMIT 2) UNION ALL " +
          s"(SELECT r.label FROM ${c.answers} ORDER BY id LIMIT 2)",
    ),
    QueryShape(
      "REPARTITION_BY_RANGE",
      Ran(1, 9),
      c => s"SELECT /*+ REPARTITION_BY_RANGE(3, id) */ id, r.label FROM ${c.answers}",
    ),
    QueryShape(
      "PIVOT by the label",
      Ran(1, 9),
      c =>
        s"SELECT * FROM (SELECT k, r.label AS a FROM ${c.answers}) " +
          "PIVOT (count(*) FOR a IN ('red', 'blue'))",
    ),
    QueryShape(
      "LATERAL subquery",
      Ran(1, 9),
      c =>
        "SELECT l.id, x.a FROM labels l, " +
          s"LATERAL (SELECT r.label AS a FROM ${c.answers} v WHERE v.id = l.id) x",
    ),
    QueryShape(
      "a subquery in SELECT, correlated, of two results",
      Ran(1, 9),
      c =>
        s"SELECT l.id, (SELECT max(r.label) FROM ${c.answers} v WHERE v.id = l.id) AS a, " +
          s"(SELECT max(r.score) FROM ${c.answers} v WHERE v.id = l.id) AS b FROM labels l",
    ),
    QueryShape(
      "three levels of subqueries",
      Ran(1, 9),
      c =>
        s"SELECT id FROM ${c.answers} WHERE r.label IN (SELECT r.label FROM ${c.answers} " +
          s"WHERE r.score >= (SELECT min(r.score) FROM ${c.answers}))",
    ),
    QueryShape(
      "a model by its name and by its version",
      Ran(1, 9),
      c =>
        s"SELECT id, ${c.named("strongest", "content")}.label, " +
          s"${c.named("strongest@1", "content")}.score FROM images",
    ),
    QueryShape(
      "a model by its name joined with its bundle by its path",
      Ran(1, 9),
      c =>
        s"SELECT x.id, y.r.score FROM ${result(c)} x JOIN " +
          s"(SELECT id, ${c.named("strongest", "content")} AS r FROM images) y " +
          "ON x.id = y.id AND x.r.label = y.r.label",
    ),
    QueryShape(
      "a WITH beside a subquery of the same",
      Ran(1, 9),
      c =>
        s"WITH w AS ${result(c)} SELECT w.id, x.r.score FROM w JOIN ${result(c)} x " +
          "ON w.r.label = x.r.label",
    ),
    QueryShape(
      "a WITH used twice beside a subquery of the same",
      Ran(1, 9),
      c =>
        s"WITH w AS ${result(c)} SELECT w.id, x.r.score FROM w JOIN w v ON w.id = v.id " +
          s"JOIN ${result(c)} x ON w.r.label = x.r.label WHERE v.r.score > 0.5",
    ),
    QueryShape(
      "a subquery with a WITH of its own, joined with itself",
      Ran(1, 9),
      c => {
        val x =
          s"(WITH w AS (SELECT * FROM images WHERE id > 0) SELECT id, ${c.colour("content")} AS r FROM w)"
        s"SELECT x.id, y.id FROM $x x JOIN $x y ON x.r.label = y.r.label AND x.id < y.id"
      },
    ),
    QueryShape(
      "a WITH inside IN, used twice there",
      Ran(1, 9),
      c =>
        s"SELECT id FROM labels WHERE id IN (WITH w AS ${result(c)} " +
          "SELECT x.id FROM w x JOIN w y ON x.r.label = y.r.label AND x.id < y.id)",
    ),
    QueryShape(
      "a WITH filtered by IN over the view, used twice",
      Ran(1, 9),
      c =>
        s"WITH w AS (SELECT * FROM labels WHERE id IN (SELECT id FROM ${c.answers} " +
          "WHERE r.label = 'red')) SELECT x.id, y.label FROM w x JOIN w y ON x.label = y.label",
    ),
    QueryShape(
      "two models in a relation that is joined with itself",
      Ran(2, 12),
      c =>
        s"SELECT x.id, y.b FROM ${twoModels(c)} x JOIN ${twoModels(c)} y " +
          "ON x.a = y.a AND x.b = y.b",
    ),
    QueryShape(
      "two models in one relation, one of them in another",
      Ran(2, 12),
      c =>
        s"SELECT x.id, x.b, y.r.score FROM ${twoModels(c)} x JOIN ${result(c)} y " +
          "ON x.a = y.r.label",
    ),
    QueryShape(
      "a second model over a WITH of a first, in both sides of a join",
      Ran(2, 18),
      c => {
        val x = s"(SELECT id, r, ${c.means("content")} AS s FROM w)"
        s"WITH w AS (SELECT id, content, ${c.colour("content")} AS r FROM images) " +
          s"SELECT x.id, y.s.score FROM $x x JOIN $x y ON x.r.label = y.s.label"
      },
    ),
    QueryShape(
      "LATERAL count of equal labels",
      Ran(1, 9),
      c =>
        s"SELECT x.id, n FROM ${c.answers} x, LATERAL (SELECT count(*) AS n FROM ${c.answers} y " +
          "WHERE y.r.label = x.r.label)",
    ),
    QueryShape(
      "the view in every subquery",
      Ran(1, 9),
      c =>
        s"SELECT id, (SELECT max(r.score) FROM ${c.answers} y WHERE y.k = x.k) AS a, " +
          s"(SELECT min(r.label) FROM ${c.answers} y WHERE y.folder = x.folder) AS b " +
          s"FROM ${c.answers} x WHERE EXISTS (SELECT 1 FROM ${c.answers} y " +
          "WHERE y.r.label = x.r.label AND y.id > x.id)",
    ),
    QueryShape(
      "EXISTS in SELECT",
      Ran(1, 9),
      c =>
        s"SELECT id, k = 1 OR EXISTS (SELECT 1 FROM ${c.answers} y " +
          s"WHERE y.r.label = x.r.label AND y.id > x.id) AS a FROM ${c.answers} x",
    ),
    QueryShape(
      "EXISTS that uses no result",
      Ran(0, 0),
      c => s"SELECT id FROM labels l WHERE EXISTS (SELECT * FROM ${c.answers} v WHERE v.id = l.id)",
    ),
    QueryShape(
      "EXISTS of any row",
      Ran(0, 0),
      c => s"SELECT id FROM labels WHERE EXISTS (SELECT * FROM ${c.answers})",
    ),
    QueryShape(
      "ORDER BY a column that is not selected LIMIT",
      Ran(1, 3),
      c => s"SELECT ${c.colour("content")}.label FROM images ORDER BY id LIMIT 3",
      ordered = true,
    ),
    QueryShape(
      "FULL JOIN of the view with itself",
      Ran(1, 9),
      c =>
        s"SELECT x.id, y.id FROM ${c.answers} x FULL JOIN ${c.answers} y " +
          "ON x.id = y.id + 1 AND x.r.label = y.r.label",
    ),
    QueryShape(
      "three of the view",
      Ran(1, 9),
      c =>
        s"SELECT x.id, y.r.score, z.k FROM ${c.answers} x JOIN ${c.answers} y USING (id) " +
          s"JOIN ${c.answers} z USING (id) WHERE z.r.label <> 'blue'",
    ),
    QueryShape(
      "two counts of distinct values",
      Ran(1, 9),
      c => s"SELECT count(DISTINCT r.label), count(DISTINCT r.score, k) FROM ${c.answers}",
    ),
    QueryShape(
      "a WITH used twice, each time with a LIMIT",
      Ran(1, 2),
      c =>
        s"WITH w AS ${result(c)} (SELECT id, r.label FROM w ORDER BY id LIMIT 2) UNION ALL " +
          "(SELECT id, r.label FROM w ORDER BY id LIMIT 2)",
    ),
    QueryShape(
      "prediction and features of one model",
      Ran(1, 9),
      c => s"SELECT id, ${c.means("content")}.label, ${c.features("content")}.features FROM images",
    ),
    QueryShape(
      "the table function beside the view",
      Ran(1, 9),
      c =>
        s"SELECT x.id, y.r.score FROM ${c.table("images")} x JOIN ${c.answers} y " +
          "ON x.id = y.id AND x.prediction.label = y.r.label",
    ),
  )
}
