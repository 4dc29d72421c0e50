package sightline.sql

import sightline.model.ResultType
import sightline.plan.{FunctionArguments, ModelFunction, SessionModel}

/** `ml_predict(model, input…[, options])`: returns a model's result for a row. */
object PredictFunction extends ModelFunction {

  override val name = "ml_predict"

  override protected def usage: String =
    """_FUNC_(model, input…[, options]) - Runs `model` on a value for each of its inputs, in their order
      |  or by their names: the bytes of an image (also content => bytes), or numbers: a number, an
      |  array or ML vector, nested arrays. Returns struct<label, class_id, score, top_k, error>, or, for
      |  a model without classes, a field for each output and `error`. For a row that cannot be used only
      |  `error` is set; if all inputs are NULL the result is NULL. `model` is a literal: a name,
      |  name@version, or a bundle's path. `options` is a literal map, such as map('top_k', '3').
      |  In FROM, _FUNC_(TABLE(images), model[, options]) returns a table's columns without the bytes,
      |  and the columns prediction and error.""".stripMargin

  override protected def result(model: SessionModel, arguments: FunctionArguments): ResultType =
    model.prediction
}
