package sightline.sql

import sightline.sql.QueryShape.Ran

/** Queries that no product of places and conditions makes. */
object SingleShapes {

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
  )
}
