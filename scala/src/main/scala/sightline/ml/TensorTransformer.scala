package sightline.ml

import org.apache.spark.ml.param.shared.{HasInputCols, HasOutputCols}
import org.apache.spark.ml.param.{BooleanParam, Param, ParamMap, ParamValidators, StringArrayParam}
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}
import org.apache.spark.sql.types.StructField
import org.apache.spark.sql.{Column, SparkSession}

import sightline.model.{Head, ModelOutput, ResultType}
import sightline.plan.{SessionModel, StageInference}
import sightline.schedule.InferenceSettings
import sightline.source.Columns

/**
 * Runs a model of any tensors: columns become its inputs, and its outputs become columns.
 *
 * The columns are wired by name unless the Params say otherwise: each input reads the column with
 * its name, and each output becomes a column with its name.
 */
final class TensorTransformer(override val uid: String)
    extends ModelTransformer
    with HasInputCols
    with HasOutputCols
    with MLWritable {

  def this() = this(Identifiable.randomUID("tensorTransformer"))

  /** The inputs that the columns of `inputCols` are for; not set: all, in the model's order. */
  val inputTensors: StringArrayParam = new StringArrayParam(
    this,
    "inputTensors",
    "the model's inputs that inputCols are for; not set: all inputs, in the model's order",
  )

  /** The outputs that the columns of `outputCols` have; not set: all, in the model's order. */
  val outputTensors: StringArrayParam = new StringArrayParam(
    this,
    "outputTensors",
    "the model's outputs that become outputCols; not set: all outputs, in the model's order",
  )

  /** Whether outputs with a vector head become Spark ML vectors instead of arrays. */
  val vectors: BooleanParam = new BooleanParam(
    this,
    "vectors",
    "whether outputs with a vector head become Spark ML vectors instead of arrays",
  )

  /** How numbers become a tensor's type: `exact` or `lossy`. */
  val casts: Param[String] = new Param(
    this,
    "casts",
    "how numbers become the type of a tensor: exact (a number that does not fit is an error) or " +
      "lossy (fractions are cut, and numbers out of range become the nearest limit)",
    ParamValidators.inArray(InferenceSettings.Casts.toArray),
  )

  setDefault(vectors -> false, casts -> InferenceSettings.Exact)

  def getInputTensors: Array[String] = $(inputTensors)
  def getOutputTensors: Array[String] = $(outputTensors)
  def getVectors: Boolean = $(vectors)
  def getCasts: String = $(casts)
  def setInputCols(value: Array[String]): this.type = set(inputCols, value)
  def setOutputCols(value: Array[String]): this.type = set(outputCols, value)
  def setInputTensors(value: Array[String]): this.type = set(inputTensors, value)
  def setOutputTensors(value: Array[String]): this.type = set(outputTensors, value)
  def setVectors(value: Boolean): this.type = set(vectors, value)
  def setCasts(value: String): this.type = set(casts, value)

  override private[ml] def callOptions: Map[String, String] =
    super.callOptions ++ option("casts", casts)

  override protected def inputs(
      spark: SparkSession,
      model: SessionModel,
      schema: StageSchema,
  ): Seq[Column] = {
    val found = model.inference.bundle.signature.inputs
    val names = found.map(_.tensor.name)
    val columns = pairs(inputTensors, inputCols, names).toMap
    found.map { input =>
      val name = input.tensor.name
      val column = columns.getOrElse(
        name,
        throw wrong(inputTensors, s"has no column for input '$name' of the model."),
      )
      val field = schema.column(stageName, column, s"It is for input '$name'; set inputCols.")
      StageInference.requireInput(stageName, model.inference, input, field)
      Columns.quoted(field.name)
    }
  }

  override protected def resultType(model: SessionModel): ResultType =
    ResultType.Tensors(chosen(model).map { case (output, _) => output.tensor.name })

  override protected def outputs(model: SessionModel): Seq[StageOutput] = {
    val types = resultType(model).dataType(model.inference.bundle.signature)
    chosen(model).map { case (output, column) =>
      val name = output.tensor.name
      if ($(vectors) && output.head == Head.Vector) {
        StageOutput(
          outputCols.name,
          VectorColumn.field(column, output),
          answer => VectorColumn.of(answer.getField(name)),
        )
      } else {
        StageOutput(
          outputCols.name,
          StructField(column, types(name).dataType),
          _.getField(name),
        )
      }
    }
  }

  /** The outputs that become columns, and the columns' names. */
  private def chosen(model: SessionModel): Seq[(ModelOutput, String)] = {
    val outputs = model.inference.bundle.signature.outputs.map(one => one.tensor.name -> one).toMap
    val names = model.inference.bundle.signature.outputs.map(_.tensor.name)
    pairs(outputTensors, outputCols, names).map { case (name, column) => outputs(name) -> column }
  }

  /**
   * Tensors and their columns.
   *
   * @param known the names of the model's tensors
   * @throws sightline.SightlineException WRONG_PARAM
   */
  private def pairs(
      tensors: StringArrayParam,
      columns: StringArrayParam,
      known: Seq[String],
  ): Seq[(String, String)] = {
    val names = get(tensors).fold(known)(_.toSeq)
    names.diff(known).headOption.foreach { name =>
      val why = if (known.contains(name)) "twice" else s"; the model has ${known.mkString(", ")}"
      throw wrong(tensors, s"names '$name' $why.")
    }
    val chosen = get(columns).fold(names)(_.toSeq)
    if (chosen.size != names.size) {
      throw wrong(
        columns,
        s"has ${chosen.size} columns for ${names.size} tensors: ${names.mkString(", ")}.",
      )
    }
    names.zip(chosen)
  }

  override def copy(extra: ParamMap): TensorTransformer = defaultCopy(extra)
  override def write: MLWriter = new StageWriter(this)
}

object TensorTransformer extends MLReadable[TensorTransformer] {
  override def read: MLReader[TensorTransformer] =
    new StageReader(classOf[TensorTransformer], saved => new TensorTransformer(saved.uid))
}
