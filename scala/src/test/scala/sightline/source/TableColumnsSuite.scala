package sightline.source

import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class TableColumnsSuite extends AnyFunSuite {

  private def resolve(columns: TableColumns, present: String*): TableColumns.Resolved =
    columns.resolve("cards.csv", present)

  test("the usual names are found, the first of each") {
    assert(
      resolve(TableColumns(), "file", "class", "image_path", "actual_class", "actual_class_id") ==
        TableColumns.Resolved("image_path", Some("actual_class"), Some("actual_class_id"))
    )
    assert(
      resolve(TableColumns(), "label", "path", "image_path", "class_id") ==
        TableColumns.Resolved("path", Some("label"), Some("class_id"))
    )
    assert(resolve(TableColumns(), "file") == TableColumns.Resolved("file", None, None))
  }

  test("columns that are asked for by name come first") {
    assert(
      resolve(TableColumns(Some("photo"), Some("kind"), Some("n")), "path", "photo", "kind", "n") ==
        TableColumns.Resolved("photo", Some("kind"), Some("n"))
    )
  }

  test("a column that is not there is named, and those that are are listed") {
    Seq(
      TableColumns(path = Some("photo")),
      TableColumns(label = Some("photo")),
      TableColumns(labelId = Some("photo")),
    ).foreach { columns =>
      val error = intercept[SightlineException](resolve(columns, "path", "a b"))
      assert(error.exitStatus == 2)
      assert(
        error.getMessage.startsWith(
          "UNKNOWN_COLUMN: column 'photo' is not in cards.csv. It has: path, a b."
        )
      )
    }
  }

  test("a table without a path column is told which names are looked for") {
    val error = intercept[SightlineException](resolve(TableColumns(), "id", "name"))
    assert(
      error.getMessage.startsWith(
        "UNKNOWN_COLUMN: cards.csv has none of the path columns path, image_path, file. " +
          "It has: id, name."
      )
    )
  }
}
