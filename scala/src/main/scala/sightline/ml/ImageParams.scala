package sightline.ml

import org.apache.spark.ml.param.shared.HasInputCol
import org.apache.spark.ml.param.{Param, ParamValidators}
import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.{lit, when}
import org.apache.spark.sql.types.{BinaryType, NullType, StructField, StructType}

import sightline.SightlineException
import sightline.plan.SessionModel
import sightline.schedule.ImageSettings
import sightline.source.Columns

/** The Param of how images are decoded and resized. */
trait HasDecoder extends ModelParams {

  final val decoder: Param[String] = new Param(
    this,
    "decoder",
    "fast, or exact: decode and resize whole images, like torchvision",
    ParamValidators.inArray(ImageSettings.Decoders.toArray),
  )

  setDefault(decoder -> ImageSettings().decoder)

  def getDecoder: String = $(decoder)
  def setDecoder(value: String): this.type = set(decoder, value)

  override private[ml] def callOptions: Map[String, String] =
    super.callOptions ++ option("decoder", decoder)
}

/** The Params of stages that read one image from a column of each row. */
trait ImageParams extends HasDecoder with HasInputCol {

  setDefault(inputCol -> Columns.Content)

  def setInputCol(value: String): this.type = set(inputCol, value)

  /**
   * The image of a row: BINARY, or `struct<content, error>` if it is made of pixels. The error of
   * reading an image is no part of it, so that stages with the same model and column are one model
   * call.
   *
   * @throws SightlineException UNKNOWN_COLUMN, AMBIGUOUS_COLUMN, WRONG_COLUMN_TYPE or NO_IMAGE_INPUT
   */
  private[ml] def image(model: SessionModel, schema: StageSchema): Column = {
    model.inference.bundle.requireImage(): Unit
    val field = schema.column(stageName, $(inputCol))
    val value = Columns.quoted(field.name)
    field.dataType match {
      case BinaryType => value
      case NullType => lit(None.orNull).cast(BinaryType)
      case found: StructType if PixelImage.is(found) => PixelImage.encoded(value)
      case _ => throw ImageParams.wrongType(stageName, field)
    }
  }

  /**
   * The error of reading a row's image, if the table has a column of such errors.
   *
   * @throws SightlineException UNKNOWN_COLUMN or AMBIGUOUS_COLUMN
   */
  private[ml] def imageError(schema: StageSchema): Option[Column] = {
    val field = schema.column(stageName, $(inputCol))
    if (field.dataType != BinaryType) None
    else {
      schema.find(stageName, Columns.Error): Unit
      Columns.errorOf(schema.table).map(when(Columns.quoted(field.name).isNull, _))
    }
  }
}

object ImageParams {

  private[ml] def wrongType(stage: String, field: StructField): SightlineException =
    SightlineException(
      "WRONG_COLUMN_TYPE",
      "column" -> field.name,
      "type" -> field.dataType.sql,
      "expected" -> BinaryType.sql,
      "subject" -> stage,
      "hint" -> "It also takes the struct that spark.read.format(\"image\") gives.",
    )
}
