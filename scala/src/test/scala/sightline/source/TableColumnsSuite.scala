package sightline.source

import org.apache.spark.sql.types.{BinaryType, LongType, StringType, StructField, StructType}
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class TableColumnsSuite extends AnyFunSuite {

  private def resolve(columns: TableColumns, present: String*): TableColumns.Resolved =
    columns.resolve("cards.csv", StructType(present.map(StructField(_, StringType))))

  private def at(path: String*): Option[Seq[String]] = Some(path)

  test("columns are found by their usual names, in a fixed order of priority") {
    assert(
      resolve(TableColumns(), "file", "class", "image_path", "actual_class", "actual_class_id") ==
        TableColumns.Resolved(at("image_path"), at("actual_class"), at("actual_class_id"))
    )
    assert(
      resolve(TableColumns(), "label", "path", "image_path", "class_id") ==
        TableColumns.Resolved(at("path"), at("label"), at("class_id"))
    )
    assert(resolve(TableColumns(), "file") == TableColumns.Resolved(at("file"), None, None))
  }

  test("columns given by name have priority over the usual names") {
    assert(
      resolve(TableColumns(Some("photo"), Some("kind"), Some("n")), "path", "photo", "kind", "n") ==
        TableColumns.Resolved(at("photo"), at("kind"), at("n"))
    )
  }

  test("the error for a missing column has its name and lists the existing columns") {
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

  test("the error for a table without a path column lists the accepted names") {
    val error = intercept[SightlineException](resolve(TableColumns(), "id", "name"))
    assert(
      error.getMessage.startsWith(
        "UNKNOWN_COLUMN: cards.csv has no column 'path' or 'image_path' or 'file'. " +
          "It has: id, name."
      )
    )
  }

  test("a name with dots is a nested field unless a column has exactly this name") {
    val image = new StructType().add("bytes", BinaryType).add("path", StringType)
    val schema = new StructType().add("image", image).add("image.path", StringType)
    val found = TableColumns(path = Some("image.path"), content = Some("image.bytes"))
      .resolve("t.parquet", schema)
    assert((found.path, found.content) == ((at("image.path"), at("image", "bytes"))))
    val error = intercept[SightlineException](
      TableColumns(content = Some("image.jpeg")).resolve("t.parquet", schema)
    )
    assert(error.getMessage.startsWith("UNKNOWN_COLUMN: t.parquet has no column 'image.jpeg'."))
  }

  test("a table of bytes needs a path column only if the labels are folder names") {
    val schema = new StructType().add("content", BinaryType)
    assert(TableColumns().resolve("t.parquet", schema).path.isEmpty)
    val error = intercept[SightlineException](
      TableColumns().resolve("t.parquet", schema, FolderLabels.Folder)
    )
    assert(error.code == "UNKNOWN_COLUMN")
  }

  test(
    "a numeric label is the class id unless there are class names or a column of ids"
  ) {
    val schema = new StructType().add("path", StringType).add("label", LongType)
    def found(schema: StructType, names: String*): TableColumns.Resolved =
      TableColumns().resolve("t.parquet", schema, classNames = _ => names)
    assert((found(schema).label, found(schema).labelId) == ((None, at("label"))))
    val named = found(schema, "cat", "dog")
    assert(
      (named.label, named.labelId, named.labelNames) == ((at("label"), None, Seq("cat", "dog")))
    )
    val both = found(schema.add("class_id", LongType))
    assert((both.label, both.labelId) == ((at("label"), at("class_id"))))
  }

  test("bytes are read from the given column, or else from a binary column named content") {
    val schema = new StructType()
      .add("path", StringType)
      .add("jpeg", BinaryType)
      .add("content", BinaryType)
    def content(columns: TableColumns, schema: StructType): Option[String] =
      columns.resolve("t.parquet", schema).content.map(_.mkString("/"))
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
