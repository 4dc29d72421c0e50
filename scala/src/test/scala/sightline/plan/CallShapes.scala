package sightline.plan

import sightline.plan.QueryShape.Ran

/** Queries with a call in every place of every operator, with and without conditions around the call. */
object CallShapes {

  /** Ids of the images that have bytes. */
  val Images: Set[Int] = (1 to 9).toSet

  /**
   * An expression of type STRING that uses a call's result.
   *
   * @param needs for each called model the ids of the images whose result the expression uses
   * @param value the expression, over the columns of `images`
   */
  private case class Guard(
      name: String,
      needs: Seq[Set[Int]],
      value: ModelCalls => String,
  )

  private val folderRed = Set(1, 2, 3)
  private val kIsOne = Set(1, 4, 7)

  private val guards = Seq(
    Guard("the label", Seq(Images), c => s"${c.colour("content")}.label"),
    Guard(
      "CASE",
      Seq(folderRed),
      c => s"CASE WHEN folder = 'red' THEN ${c.colour("content")}.label ELSE 'other' END",
    ),
    Guard(
      "COALESCE",
      Seq(Images -- folderRed),
      c => s"coalesce(nullif(folder, 'blue'), ${c.colour("content")}.label)",
    ),
    // 10 / k fails for k = 0; the condition k <> 0 excludes these rows.
    Guard(
      "AND CASE",
      Seq(kIsOne),
      c =>
        "IF(k <> 0 AND CASE WHEN 10 / k > 7 THEN " +
          s"${c.colour("content")}.label = 'red' ELSE false END, 'red', 'blue')",
    ),
    Guard(
      "a second model",
      Seq(Images, folderRed),
      c =>
        s"CASE WHEN ${c.colour("content")}.label = 'red' " +
          s"THEN ${c.means("content")}.label ELSE folder END",
    ),
  )

  /**
   * A query with `value` in one place.
   *
   * @param reaches the ids of the images whose value the query uses
   */
  private case class Place(
      name: String,
      reaches: Set[Int],
      query: String => String,
      ordered: Boolean = false,
  )

  private val places = Seq(
    Place("SELECT", Images, e => s"SELECT id, $e AS a FROM images"),
    Place("WHERE", Images, e => s"SELECT id FROM images WHERE $e <> 'blue'"),
    Place("SELECT and WHERE", Images, e => s"SELECT id, $e AS a FROM images WHERE $e <> 'blue'"),
    Place(
      "SELECT with WHERE on another column",
      Set(5, 6, 7, 8, 9),
      e => s"SELECT id, $e AS a FROM images WHERE id > 4",
    ),
    Place("GROUP BY", Images, e => s"SELECT $e AS a, count(*) FROM images GROUP BY $e"),
    Place("ROLLUP", Images, e => s"SELECT $e AS a, k, count(*) FROM images GROUP BY ROLLUP($e, k)"),
    Place("aggregate", Images, e => s"SELECT k, max($e), min($e) FROM images GROUP BY k"),
    Place(
      "HAVING",
      Images,
      e => s"SELECT k, count(*) FROM images GROUP BY k HAVING max($e) >= 'red'",
    ),
    Place(
      "FILTER of an aggregate",
      Images,
      e => s"SELECT k, count(*) FILTER (WHERE $e <> 'blue') FROM images GROUP BY k",
    ),
    Place(
      "beside the grouping columns",
      Images,
      e => s"SELECT id, $e AS a, count(*) FROM images GROUP BY id, folder, k, content",
    ),
    Place("DISTINCT", Images, e => s"SELECT DISTINCT $e AS a FROM images"),
    Place("ORDER BY", Images, e => s"SELECT id FROM images ORDER BY $e, id", ordered = true),
    Place(
      "ORDER BY LIMIT",
      Images,
      e => s"SELECT id, $e AS a FROM images ORDER BY a DESC, id LIMIT 3",
      ordered = true,
    ),
    Place(
      "ORDER BY another column LIMIT",
      Set(1, 2, 3),
      e => s"SELECT id, $e AS a FROM images ORDER BY id LIMIT 3",
      ordered = true,
    ),
    Place(
      "ORDER BY another column LIMIT OFFSET",
      Set(3, 4, 5),
      e => s"SELECT id, $e AS a FROM images ORDER BY id LIMIT 3 OFFSET 2",
      ordered = true,
    ),
    Place(
      "window",
      Images,
      e => s"SELECT id, count(*) OVER (PARTITION BY $e), max($e) OVER (ORDER BY id) FROM images",
    ),
    Place(
      "explode",
      Images,
      e => s"SELECT id, a FROM images LATERAL VIEW explode(array($e, folder)) t AS a",
    ),
    Place("DISTRIBUTE BY", Images, e => s"SELECT id, $e AS a FROM images DISTRIBUTE BY a"),
    Place(
      "subquery joined",
      Images,
      e =>
        s"SELECT l.id, x.a FROM labels l LEFT JOIN (SELECT id, $e AS a FROM images) x " +
          "ON l.id = x.id AND l.label = x.a",
    ),
    Place(
      "IN",
      Images,
      e => s"SELECT id FROM labels WHERE label IN (SELECT $e FROM images)",
    ),
    Place(
      "EXISTS",
      Images,
      e =>
        "SELECT id FROM labels l WHERE EXISTS " +
          s"(SELECT 1 FROM images WHERE images.id = l.id AND $e = l.label)",
    ),
  )

  def all: Seq[QueryShape] = for {
    place <- places
    guard <- guards
  } yield QueryShape(
    s"${place.name}: ${guard.name}",
    Ran(guard.needs.size, guard.needs.map(_.intersect(place.reaches).size).sum),
    calls => place.query(guard.value(calls)),
    place.ordered,
  )
}
