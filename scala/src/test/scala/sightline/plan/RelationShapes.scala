package sightline.plan

import sightline.plan.QueryShape.Ran

/** Queries over a relation with a call's result, in every form of a relation and with every use. */
object RelationShapes {

  /**
   * The text of a relation `(id, folder, k, r)`, where `r` is the result of a call for each image.
   *
   * @param first the text before the query, such as a WITH clause
   */
  private case class Source(
      name: String,
      first: ModelCalls => String,
      relation: ModelCalls => String,
  )

  private def subquery(calls: ModelCalls): String =
    s"(SELECT id, folder, k, ${calls.colour("content")} AS r FROM images)"

  private val sources = Seq(
    Source("view", _ => "", _.answers),
    Source("WITH", c => s"WITH w AS ${subquery(c)} ", _ => "w"),
    Source("subquery", _ => "", subquery),
    Source(
      "table function",
      _ => "",
      c => s"(SELECT id, folder, k, prediction AS r FROM ${c.table("images")})",
    ),
  )

  /**
   * A query over the relation.
   *
   * @param reaches the ids of the images whose result the query uses
   */
  private case class Use(
      name: String,
      reaches: Set[Int],
      query: String => String,
      ordered: Boolean = false,
  )

  private val all9 = CallShapes.Images

  private val uses = Seq(
    Use(
      "two filters",
      Set(4, 5, 6, 7, 8, 9),
      r => s"SELECT id, r.label FROM $r WHERE r.label <> 'red' AND folder = 'blue'",
    ),
    Use("count(*)", Set.empty, r => s"SELECT count(*) FROM $r"),
    Use("a column that is not used", Set.empty, r => s"SELECT id, folder FROM $r WHERE k = 1"),
    Use(
      "GROUP BY and HAVING",
      all9,
      r => s"SELECT r.label, count(*) FROM $r GROUP BY r.label HAVING max(r.score) > 0.6",
    ),
    Use("ORDER BY", all9, r => s"SELECT id, r.label FROM $r ORDER BY id", ordered = true),
    Use(
      "ORDER BY LIMIT OFFSET",
      Set(2, 3),
      r => s"SELECT id, r.label FROM $r ORDER BY id LIMIT 2 OFFSET 1",
      ordered = true,
    ),
    Use(
      "joined with itself",
      all9,
      r => s"SELECT x.id, y.id FROM $r x JOIN $r y ON x.r.label = y.r.label AND x.id < y.id",
    ),
    Use(
      "joined with itself, each filtered",
      Set(1, 2, 3, 4, 7),
      r =>
        s"SELECT x.id, y.id, y.r.score FROM $r x JOIN $r y ON x.r.label = y.r.label " +
          "WHERE x.folder = 'red' AND y.k = 1",
    ),
    Use(
      "scalar subquery",
      all9,
      r => s"SELECT id, r.label FROM $r WHERE r.score >= (SELECT max(r.score) FROM $r)",
    ),
    Use(
      "correlated scalar subquery",
      all9,
      r => s"SELECT id FROM $r x WHERE x.r.label = (SELECT max(r.label) FROM $r y WHERE y.k = x.k)",
    ),
    Use(
      "correlated EXISTS",
      all9,
      r =>
        s"SELECT id FROM $r x WHERE EXISTS " +
          s"(SELECT 1 FROM $r y WHERE y.r.label = x.r.label AND y.id <> x.id)",
    ),
    Use(
      "correlated NOT EXISTS",
      all9,
      r =>
        s"SELECT id FROM $r x WHERE NOT EXISTS " +
          s"(SELECT 1 FROM $r y WHERE y.r.label = x.r.label AND y.id <> x.id)",
    ),
    Use(
      "IN",
      all9,
      r => s"SELECT id FROM $r WHERE r.label IN (SELECT r.label FROM $r WHERE folder = 'red')",
    ),
    Use(
      "NOT IN",
      all9,
      r =>
        s"SELECT id FROM $r WHERE r.label NOT IN " +
          s"(SELECT r.label FROM $r WHERE folder = 'red' AND r.label IS NOT NULL)",
    ),
    Use(
      "WITH inside IN",
      all9,
      r =>
        s"SELECT id, r.label FROM $r WHERE id IN " +
          s"(WITH v AS (SELECT id, r FROM $r) SELECT id FROM v WHERE r.label = 'blue')",
    ),
    Use(
      "UNION ALL of two filters",
      all9,
      r =>
        s"SELECT id FROM $r WHERE r.label = 'red' UNION ALL " +
          s"SELECT id FROM $r WHERE r.label = 'blue'",
    ),
    Use(
      "EXCEPT",
      all9,
      r => s"SELECT r.label FROM $r EXCEPT SELECT r.label FROM $r WHERE folder = 'red'",
    ),
  )

  def all: Seq[QueryShape] = for {
    use <- uses
    source <- sources
  } yield QueryShape(
    s"${use.name}: ${source.name}",
    Ran(if (use.reaches.isEmpty) 0 else 1, use.reaches.size),
    calls => source.first(calls) + use.query(source.relation(calls)),
    use.ordered,
  )
}
