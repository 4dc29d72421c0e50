package sightline.sql

import sightline.sql.QueryShape.{Failed, Outcome, Ran}

/**
 * The shapes that do not reach their ideal, with what becomes of them instead: a change in either
 * direction fails the suite.
 */
object KnownDeviations {

  val all: Map[String, Outcome] = Map[String, Outcome](
    "WHERE: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "SELECT and WHERE: CASE" -> Ran(2, 6),
    "SELECT and WHERE: COALESCE" -> Ran(2, 7),
    "SELECT and WHERE: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "SELECT and WHERE: a second model" -> Ran(3, 15),
    "ROLLUP: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "HAVING: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "beside the grouping columns: the label" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "beside the grouping columns: CASE" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "beside the grouping columns: COALESCE" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "beside the grouping columns: AND CASE" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "beside the grouping columns: a second model" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "ORDER BY: the label" -> Ran(1, 18),
    "ORDER BY: CASE" -> Ran(1, 6),
    "ORDER BY: COALESCE" -> Ran(1, 12),
    "ORDER BY: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "ORDER BY: a second model" -> Ran(2, 24),
    "ORDER BY another column LIMIT: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "ORDER BY another column LIMIT OFFSET: the label" -> Ran(1, 9),
    "ORDER BY another column LIMIT OFFSET: CASE" -> Ran(1, 3),
    "ORDER BY another column LIMIT OFFSET: COALESCE" -> Ran(1, 6),
    "ORDER BY another column LIMIT OFFSET: AND CASE" -> Ran(1, 3),
    "ORDER BY another column LIMIT OFFSET: a second model" -> Ran(2, 12),
    "explode: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "DISTRIBUTE BY: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "subquery joined: AND CASE" -> Failed("DIVIDE_BY_ZERO"),
    "ORDER BY: view" -> Ran(1, 18),
    "ORDER BY: WITH" -> Ran(1, 18),
    "ORDER BY: subquery" -> Ran(1, 18),
    "ORDER BY: table function" -> Ran(1, 18),
    "ORDER BY LIMIT OFFSET: view" -> Ran(1, 9),
    "ORDER BY LIMIT OFFSET: WITH" -> Ran(1, 9),
    "ORDER BY LIMIT OFFSET: subquery" -> Ran(1, 9),
    "ORDER BY LIMIT OFFSET: table function" -> Ran(1, 9),
    "an image by its path, in groups by path" -> Failed("INTERNAL_ERROR_ATTRIBUTE_NOT_FOUND"),
    "a plain call outside, a guarded one inside" -> Ran(2, 12),
    "CASE in WHERE, and the same call in SELECT" -> Ran(2, 10),
    "a call of an aggregate" -> Failed("INTERNAL_ERROR"),
    "SQL function in SELECT and WHERE" -> Ran(2, 13),
    "SQL function beside its call" -> Ran(2, 18),
    "ORDER BY a column that is not selected LIMIT" -> Ran(1, 9),
    "UNION ALL of two limits" -> Ran(1, 9),
    "REPARTITION_BY_RANGE" -> Ran(1, 18),
  )
}
