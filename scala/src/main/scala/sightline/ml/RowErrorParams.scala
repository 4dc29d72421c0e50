package sightline.ml

import org.apache.spark.ml.param.{Param, ParamValidators, Params}
import org.apache.spark.sql.types.{StructField, StructType}

import sightline.SightlineException
import sightline.source.Columns

/** The Params of what becomes of a row that has an error. */
trait RowErrorParams extends Params {

  final val handleInvalid: Param[String] = new Param(
    this,
    "handleInvalid",
    "what becomes of a row that has an error: keep (its outputs are NULL and errorCol says why), " +
      "skip (it is left out) or error (the query fails)",
    ParamValidators.inArray(Array(ModelParams.Keep, ModelParams.Skip, ModelParams.Fail)),
  )

  final val errorCol: Param[String] = new Param(
    this,
    "errorCol",
    "the column of errors, struct<code, stage, message>, which handleInvalid=keep adds",
    ModelParams.notEmpty,
  )

  setDefault(handleInvalid -> ModelParams.Keep, errorCol -> Columns.Error)

  def getHandleInvalid: String = $(handleInvalid)
  def getErrorCol: String = $(errorCol)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)

  /** The name of the stage in errors and EXPLAIN. */
  private[ml] def stageName: String = getClass.getSimpleName

  /** @param why a phrase that follows the name of the Param */
  private[ml] def wrong(param: Param[?], why: String): SightlineException =
    SightlineException(
      "WRONG_PARAM",
      "param" -> param.name,
      "stage" -> stageName,
      "reason" -> why,
    )

  /** The table's column of errors that has the name of `errorCol`; the stage's errors are added to it. */
  private[ml] def earlierError(table: StageSchema): Option[String] =
    table.find(stageName, $(errorCol)).filter(field => Columns.isError(field.dataType)).map(_.name)

  /**
   * The schema with added columns, and with the column of errors if it is kept.
   *
   * @param added the columns, each after the Param that names it
   * @throws SightlineException OUTPUT_COLUMN_EXISTS, WRONG_PARAM
   */
  private[ml] def withAdded(table: StageSchema, added: Seq[(String, StructField)]): StructType = {
    val isKept = $(handleInvalid) == ModelParams.Keep
    val earlier = earlierError(table)
    added.foreach { case (param, field) => table.requireFree(stageName, param, field.name) }
    if (isKept && earlier.isEmpty) table.requireFree(stageName, errorCol.name, $(errorCol))
    val error = Option.when(isKept)(StructField($(errorCol), Columns.ErrorType))
    table.requireDistinct(
      stageName,
      added.map { case (param, field) => param -> field.name } ++
        error.map(field => errorCol.name -> field.name),
    )
    val kept = table.table.filterNot(field => isKept && earlier.contains(field.name))
    StructType(kept ++ added.map(_._2) ++ error)
  }
}
