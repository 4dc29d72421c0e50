package sightline.model

import java.util.Locale

import org.json4s.*

import sightline.SightlineException

/**
 * The input and output tensors of a model, in the order of its manifest.
 *
 * @param inputs at least one
 * @param outputs at least one
 */
final case class Signature(inputs: Seq[ModelInput], outputs: Seq[ModelOutput]) {

  /** The output of class scores: the first with a classes head. */
  def classes: Option[ModelOutput] = outputs.find(_.head.isInstanceOf[Head.Classes])

  /** The task in lists of models: `classification`, `features` or `tensors`. */
  def task: String =
    if (classes.isDefined) "classification" else vector.fold("tensors")(_ => "features")

  /** The number of classes; 0 without a classes head. */
  def classCount: Int =
    classes.map(_.tensor.shape).collectFirst { case Seq(Axis.Fixed(count)) => count }.getOrElse(0)

  /** The file of class labels, one label per line; the class id is the line's index, from 0. */
  def labelsFile: Option[String] =
    outputs.map(_.head).collectFirst { case Head.Classes(labels) => labels }

  /** The output of features: the first with a vector head. */
  def vector: Option[ModelOutput] = vectors.headOption

  /** All outputs with a vector head. */
  def vectors: Seq[ModelOutput] = outputs.filter(_.head == Head.Vector)
}

/** An input tensor and the conversion of column values to it. */
final case class ModelInput(tensor: TensorSpec, feed: Feed)

/** An output tensor and its conversion to a column value. */
final case class ModelOutput(tensor: TensorSpec, head: Head)

object Signature {

  // The same limits as in Python's reader, sightline/bundle/manifest.py.
  private[model] val MostClasses = 10000000
  private val LongestAxis = 1000000000
  private val MostElements = 1L << 31 // per row, free axes not counted
  private val AxisName = "[A-Za-z0-9_]{1,100}".r
  private val VectorTypes = Seq("float32", "float64", "float16")

  /**
   * Reads the signature of a manifest of format 2.
   *
   * @param where names the bundle in errors
   * @throws SightlineException INVALID_BUNDLE
   */
  private[model] def parse(root: JValue, where: String)(implicit formats: Formats): Signature = {
    val signature = Signature(
      inputs = some(root, "inputs", where).map { input =>
        val name = (input \ "name").extract[String]
        val kind = (input \ "feed" \ "kind").extract[String]
        val feed = Feed.All.find(_.kind == kind).getOrElse {
          throw unknown(where, s"the feed of '$name'", kind, Feed.All.map(_.kind))
        }
        val tensor = TensorSpec(name, dtype(input, name, where), shape(input, name, where))
        if (feed == Feed.Image && !tensor.isFixed) {
          throw invalid(where, s"the shape of '$name', an image, has a free axis")
        }
        ModelInput(tensor, feed)
      },
      outputs = some(root, "outputs", where).map { output =>
        val name = (output \ "name").extract[String]
        val head = (output \ "head" \ "kind").extract[String] match {
          case Head.Classes.Kind => Head.Classes((output \ "head" \ "labels").extract[String])
          case Head.Vector.kind => Head.Vector
          case Head.Tensor.kind => Head.Tensor
          case other => throw unknown(where, s"the head of '$name'", other, Head.Kinds)
        }
        this.output(output, name, head, head.kind + " head", where)
      },
    )
    checkNames(signature.inputs.map(_.tensor.name), "inputs", where)
    checkNames(signature.outputs.map(_.tensor.name) :+ "error", "outputs", where)
    checkAxes(root, signature, where)
    signature
  }

  /** The name of a batch axis is the number of rows, so it cannot be an axis of a row. */
  private def checkAxes(root: JValue, signature: Signature, where: String): Unit = {
    val batch = for {
      field <- Seq("inputs", "outputs")
      JArray(JString(name) :: _) <- (root \ field).children.map(_ \ "shape")
    } yield name
    val tensors = signature.inputs.map(_.tensor) ++ signature.outputs.map(_.tensor)
    for {
      tensor <- tensors
      case Axis.Free(axis) <- tensor.shape if batch.contains(axis)
    } {
      throw invalid(where, s"the shape of '${tensor.name}' uses the batch axis '$axis' twice")
    }
  }

  /** Names become columns of a result, which has a column `error` and whose case does not count. */
  private def checkNames(names: Seq[String], field: String, where: String): Unit =
    if (names.map(_.toLowerCase(Locale.ROOT)).distinct.size < names.size) {
      throw invalid(
        where,
        s"'$field' must have names that differ by more than case, and no output is named error",
      )
    }

  /**
   * Reads the signature of a manifest of format 1: one image, and an output for each role.
   *
   * @throws SightlineException INVALID_BUNDLE
   */
  private[model] def parseFormat1(root: JValue, where: String)(implicit
      formats: Formats
  ): Signature = {
    count(root \ "classes", MostClasses, "classes", where): Unit
    val labels = (root \ "labels").extract[String]
    val image = (root \ "inputs")(0) match {
      case JNothing => ModelInput(TensorSpec("images", "uint8", Nil), Feed.Image)
      case input =>
        val name = (input \ "name").extract[String]
        ModelInput(TensorSpec(name, "uint8", shape(input, name, where)), Feed.Image)
    }
    Signature(
      Seq(image),
      (root \ "outputs").extract[Seq[JObject]].filter(isRead).map { output =>
        val role = (output \ "role").extract[String]
        val head = role match {
          case "scores" => Head.Classes(labels)
          case "features" => Head.Vector
          case _ => Head.Tensor
        }
        this.output(output, (output \ "name").extract[String], head, role, where)
      },
    )
  }

  /** Whether an output of format 1 is read. A tensor with another free axis than the first is not. */
  private def isRead(output: JObject): Boolean = output \ "shape" match {
    case JArray(JString("n") :: axes) =>
      output \ "role" != JString("tensor") || axes.forall(_.isInstanceOf[JInt])
    case _ => output \ "role" != JString("tensor")
  }

  private def some(root: JValue, field: String, where: String)(implicit
      formats: Formats
  ): Seq[JObject] =
    (root \ field).extract[Seq[JObject]] match {
      case Nil => throw invalid(where, s"it has no $field")
      case found => found
    }

  private def output(json: JValue, name: String, head: Head, called: String, where: String)(implicit
      formats: Formats
  ): ModelOutput = {
    val tensor = TensorSpec(name, dtype(json, name, where), shape(json, name, where))
    if (head != Head.Tensor) {
      if (tensor.shape.size != 1 || !tensor.isFixed) {
        throw invalid(where, s"the shape of '$name', its $called, is not [n, length]")
      }
      if (!VectorTypes.contains(tensor.dtype)) {
        throw unknown(where, s"the dtype of '$name', its $called,", tensor.dtype, VectorTypes)
      }
    }
    ModelOutput(tensor, head)
  }

  /** The axes after the batch axis, which the manifest writes as a text: n. */
  private def shape(json: JValue, name: String, where: String): Seq[Axis] = json \ "shape" match {
    case JArray(JString(_) :: axes) =>
      val found = axes.map {
        case JString(free) if AxisName.matches(free) => Axis.Free(free)
        case JString(other) =>
          val why = s"the shape of '$name' has the axis '$other'"
          throw invalid(where, s"$why; the name of a free axis has letters, digits and '_'")
        case length => Axis.Fixed(count(length, LongestAxis, "shape", where))
      }
      val elements = found.collect { case Axis.Fixed(length) => BigInt(length) }.product
      if (elements > MostElements) {
        throw invalid(where, s"the shape of '$name' has more than $MostElements elements per row")
      }
      found
    case _ => throw invalid(where, s"the shape of '$name' does not begin with the batch axis n")
  }

  private def dtype(json: JValue, name: String, where: String)(implicit formats: Formats): String =
    // Bundles of older versions have no dtype for outputs; it is float32.
    (json \ "dtype").extractOpt[String].getOrElse("float32") match {
      case known if TensorSpec.Types.contains(known) => known
      case other =>
        throw unknown(where, s"the dtype of '$name'", other, TensorSpec.Types.keys.toSeq.sorted)
    }

  /** An integer from 1 to `most`. json4s would truncate a larger number to 32 bits without an error. */
  private def count(value: JValue, most: Int, field: String, where: String): Int = value match {
    case JInt(number) if number >= 1 && number <= most => number.toInt
    case _ => throw invalid(where, s"'$field' must be an integer from 1 to $most")
  }

  /** Checks the largest batch of the model, which only the worker uses. It is optional. */
  private[model] def checkRows(root: JValue, most: Int, where: String): Unit =
    root \ "most_rows" match {
      case JNothing => ()
      case rows => count(rows, most, "most_rows", where): Unit
    }

  /** The measured batch sizes by backend; empty if none was measured. */
  private[model] def batchRows(root: JValue, most: Int, where: String): Map[String, Int] =
    root \ "batch_rows" match {
      case JNothing | JNull => Map.empty
      case JObject(fields) =>
        fields.map { case (backend, rows) =>
          backend -> count(rows, most, s"batch_rows.$backend", where)
        }.toMap
      case _ => throw invalid(where, "'batch_rows' must be an object")
    }

  private def unknown(
      where: String,
      what: String,
      value: String,
      known: Seq[String],
  ): SightlineException =
    invalid(where, s"$what is '$value'. Known: ${known.mkString(", ")}")

  private[model] def invalid(where: String, why: String): SightlineException =
    SightlineException("INVALID_BUNDLE", "bundle" -> where, "reason" -> why)
}
