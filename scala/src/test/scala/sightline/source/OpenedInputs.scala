package sightline.source

import org.apache.spark.sql.Row
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

/** Inputs of images, opened as commands open them, and what they hold. */
trait OpenedInputs extends LocalSpark { this: AnyFunSuite =>

  def open(images: Any, table: TableColumns = TableColumns()): ImageInput =
    ImageInput.open(spark, ImageRequest(images.toString, table = table))

  /** Rows as texts, sorted by path: bytes as characters, an error as its code. */
  def texts(input: ImageInput, columns: String*): Seq[Row] = {
    val shown = columns :+ "string(__content) AS content" :+ "__error.code AS code"
    input.rows.orderBy("path").selectExpr(shown: _*).collect().toSeq
  }

  def none: String = None.orNull

  def refused(images: Any, table: TableColumns = TableColumns()): String = {
    val error = intercept[SightlineException](open(images, table))
    assert(error.exitStatus == 2)
    error.getMessage
  }
}
