package sightline.source

import org.apache.spark.sql.Row
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

/** Opens inputs of images as the commands do, and returns their rows or their error. */
trait OpenedInputs extends LocalSpark { this: AnyFunSuite =>

  def open(images: Any, table: TableColumns = TableColumns()): ImageInput =
    ImageInput.open(spark, ImageRequest(images.toString, table = table))

  /** The rows, sorted by path, with the bytes as a string and the error's code. */
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
