package sightline.source

import org.apache.spark.sql.types.{BinaryType, StringType, StructField, StructType}
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class TableColumnsSuite extends AnyFunSuite {

  private def resolve(columns: TableColumns, present: String*): TableColumns.Resolved =
    columns.resolve("cards.csv", StructType(present.map(StructField(_, StringType))))

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
      TableColumns(content = Some("photo")),
    ).foreach { columns =>
      val error = intercept[SightlineException](resolve(columns, "path", "a b"))
      assert(error.exitStatus == 2)
      assert(
        error.getMessage.startsWith(
          "UNKNOWN_COLUMN: cards.csv has no column 'photo'. It has: path, a b."
        )
      )
    }
  }

  test("a table without a path column is told which names are looked for") {
    val error = intercept[SightlineException](resolve(TableColumns(), "id", "name"))
    assert(
      error.getMessage.startsWith(
        "UNKNOWN_COLUMN: cards.csv has no column 'path' or 'image_path' or 'file'. " +
          "It has: id, name."
      )
    )
  }

  test("bytes are in the column that is named, else in a binary one called content") {
    val schema = new StructType()
      .add("path", StringType)
      .add("jpeg", BinaryType)
      .add("content", BinaryType)
    def content(columns: TableColumns, schema: StructType): Option[String] =
      columns.resolve("t.parquet", schema).content
    assert(content(TableColumns(), schema).contains("content"))
    assert(content(TableColumns(content = Some("jpeg")), schema).contains("jpeg"))
    assert(content(TableColumns(), new StructType().add("path", "string")).isEmpty)
    assert(content(TableColumns(), new StructType(schema.init.toArray)).isEmpty)
    val text = new StructType().add("path", "string").add("content", "string")
    assert(content(TableColumns(), text).isEmpty)
    val error = intercept[SightlineException](content(TableColumns(content = Some("path")), schema))
    assert(
      error.getMessage.startsWith(
        "WRONG_COLUMN_TYPE: column 'path' of t.parquet is STRING, not BINARY."
      )
    )
  }
}
