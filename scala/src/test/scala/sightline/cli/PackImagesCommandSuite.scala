package sightline.cli

import java.awt.Color
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path as HadoopPath
import org.apache.parquet.hadoop.ParquetFileReader
import org.apache.parquet.hadoop.metadata.{BlockMetaData, CompressionCodecName}
import org.apache.parquet.hadoop.util.HadoopInputFile
import org.apache.spark.sql.Row
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, TestImage}

/** `pack-images` writes files into a table, and `predict` reads the table. */
final class PackImagesCommandSuite extends AnyFunSuite with CommandRuns {

  private def images(folder: Path): Path = {
    write(folder, "images/red/a.png", TestImage.of(Color.RED)): Unit
    write(folder, "images/blue/c.jpg", TestImage.of(Color.BLUE, "jpg")): Unit
    write(folder, "images/blue/bad.png", "no image"): Unit
    write(folder, "images/top.png", ""): Unit
    Files.createSymbolicLink(folder.resolve("images/gone.png"), folder.resolve("nowhere")): Unit
    folder.resolve("images")
  }

  private def pack(folder: Path, images: Any, more: Any*): Output =
    run(Seq[Any]("pack-images", "--images", images, "--output", s"$folder/p.parquet") ++ more: _*)

  private def predicted(folder: Path, images: Any): Seq[Row] = {
    val out = s"$folder/predictions"
    val output = run(
      "predict",
      "--overwrite",
      "--images",
      images,
      "--model",
      ColourBundle.bundle.folder,
      "--output",
      out,
    )
    assert(output.status == 0, output.err)
    spark.read
      .parquet(out)
      .selectExpr("path", "label", "prediction.label", "error.code", "error.stage")
      .orderBy("path")
      .collect()
      .toSeq
  }

  test("a folder is packed into a table with a row per file and its bytes or an error") {
    withFolder { folder =>
      val all = images(folder)
      val output =
        runAlone("pack-images", "--images", all, "--output", s"$folder/p.parquet")
      assert(output.status == 0, output.err)
      assert(output.out.matches("(?s)5 images, [0-9,]+ bytes, 1 errors: 1 NOT_FOUND\n.*"))
      val table = spark.read.parquet(s"$folder/p.parquet")
      assert(
        table.schema.map(f => s"${f.name} ${f.dataType.catalogString}") == Seq(
          "path string",
          "relative_path string",
          "length bigint",
          "modification_time timestamp",
          "label string",
          "content binary",
          "error struct<code:string,stage:string,message:string>",
        )
      )
      val rows = table.orderBy("path").collect()
      assert(rows.map(_.getString(0)).toSeq == rows.map(row => s"$all/${row.getString(1)}").toSeq)
      rows.filter(_.isNullAt(6)).foreach { row =>
        val file = Path.of(row.getString(0))
        assert(row.getAs[Array[Byte]](5).toSeq == Files.readAllBytes(file).toSeq)
        assert(row.getLong(2) == Files.size(file))
      }
      assert(Files.exists(folder.resolve("p.parquet/_run/run.json")))
    }
  }

  test("predictions for the packed table and for the folder are equal") {
    withFolder { folder =>
      val all = images(folder)
      assert(pack(folder, all).status == 0)
      assert(predicted(folder, s"$folder/p.parquet") == predicted(folder, all))
    }
  }

  test("packing a table of paths keeps its columns and adds the bytes") {
    withFolder { folder =>
      images(folder): Unit
      val csv = write(
        folder,
        "cards.csv",
        "file,class,class_id,note\nimages/red/a.png,red,0,007\nimages/none.png,blue,2,x\n",
      )
      val output = pack(folder, csv)
      assert(output.status == 0, output.err)
      val table = spark.read.parquet(s"$folder/p.parquet")
      assert(
        table.columns.toSeq == Seq(
          "file",
          "class",
          "class_id",
          "note",
          "path",
          "label",
          "label_id",
          "length",
          "content",
          "error",
        )
      )
      val none: String = None.orNull
      assert(
        table
          .orderBy("path")
          .selectExpr("path", "label", "label_id", "note", "error.code")
          .collect()
          .toSeq == Seq(
          Row("images/none.png", "blue", 2, "x", "NOT_FOUND"),
          Row("images/red/a.png", "red", 0, "007", none),
        )
      )
      assert(predicted(folder, s"$folder/p.parquet").map(_.get(2)) == Seq(none, "red"))
    }
  }

  /** The row groups of all Parquet files of a table. */
  private def rowGroups(table: Path): Seq[BlockMetaData] = {
    val parts = Using.resource(Files.list(table)) {
      _.iterator.asScala.filter(_.toString.endsWith(".parquet")).toSeq
    }
    parts.flatMap { part =>
      val input = HadoopInputFile.fromPath(new HadoopPath(part.toUri), new Configuration)
      Using.resource(ParquetFileReader.open(input))(_.getFooter.getBlocks.asScala.toSeq)
    }
  }

  test("row groups have at most 8 MiB, and no column is compressed") {
    withFolder { folder =>
      (1 to 40).foreach(i => write(folder, s"images/$i.bin", Array.fill[Byte](300_000)(i.toByte)))
      assert(pack(folder, s"$folder/images", "--include", "*.bin").status == 0)
      val groups = rowGroups(folder.resolve("p.parquet"))
      assert(groups.map(_.getRowCount).sum == 40)
      assert(groups.size >= 5)
      assert(groups.map(_.getTotalByteSize).max <= (8L << 20))
      val codecs = groups.flatMap(_.getColumns.asScala.map(_.getCodec)).distinct
      assert(codecs == Seq(CompressionCodecName.UNCOMPRESSED))
    }
  }

  test("an existing table is replaced only with --overwrite, and not if it is the input") {
    withFolder { folder =>
      val all = images(folder)
      assert(pack(folder, all).status == 0)
      val refused = pack(folder, all)
      assert(refused.status == 2)
      assert(refused.lastError.startsWith("sightline: OUTPUT_EXISTS"))
      assert(pack(folder, all, "--overwrite", "--limit", 2).out.startsWith("2 images"))
      val own = pack(folder, s"$folder/p.parquet", "--overwrite")
      assert(own.lastError.startsWith("sightline: OUTPUT_HOLDS_INPUT"))
    }
  }
}
