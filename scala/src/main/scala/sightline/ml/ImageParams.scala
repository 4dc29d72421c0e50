package sightline.ml

import org.apache.spark.ml.param.shared.HasInputCol
import org.apache.spark.ml.param.{Param, ParamValidators}
import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.{lit, struct, when}
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
   * The image of a row: BINARY, or `struct<content, error>`.
   *
   * @throws SightlineException UNKNOWN_COLUMN, WRONG_COLUMN_TYPE or NO_IMAGE_INPUT
   */
  private[ml] def image(model: SessionModel, schema: StageSchema): Column = {
    model.inference.bundle.requireImage(): Unit
    val field = schema.column(stageName, $(inputCol))
    val value = Columns.quoted(field.name)
    field.dataType match {
      case BinaryType =>
        Columns.errorOf(schema.table).filterNot(_ => isErrorKept(schema)).fold(value) { error =>
          struct(value.as(Columns.Content), when(value.isNull, error).as(Columns.Error))
        }
      case NullType => lit(None.orNull).cast(BinaryType)
      case found: StructType if PixelImage.is(found) => PixelImage.encoded(value)
      case _ => throw ImageParams.wrongType(stageName, field)
    }
  }

  /**
   * Whether the table's read error is in `errorCol` of the result anyway. Then it is no part of the
   * model's input, and two stages with the same model and image are one model call.
   */
  private def isErrorKept(schema: StageSchema): Boolean =
    $(handleInvalid) == ModelParams.Keep && schema.find($(errorCol)).exists(_.name == Columns.Error)
}

object ImageParams {

  private def wrongType(stage: String, field: StructField): SightlineException =
    SightlineException(
      "WRONG_COLUMN_TYPE",
      "column" -> field.name,
      "type" -> field.dataType.sql,
      "expected" -> BinaryType.sql,
      "subject" -> stage,
      "hint" -> "It also takes the struct that spark.read.format(\"image\") gives.",
    )
}
