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
  def classCount: Int = classes.fold(0)(_.tensor.shape.head)

  /** The file of class labels, one label per line; the class id is the line's index, from 0. */
  def labelsFile: Option[String] =
    outputs.map(_.head).collectFirst { case Head.Classes(labels) => labels }

  /** The output of features: the first with a vector head. */
  def vector: Option[ModelOutput] = outputs.find(_.head == Head.Vector)
}

/** An input tensor and the conversion of column values to it. */
final case class ModelInput(tensor: TensorSpec, feed: Feed)

/** An output tensor and its conversion to a column value. */
final case class ModelOutput(tensor: TensorSpec, head: Head)

object Signature {

  // The same limits as in Python's reader, sightline/bundle/manifest.py.
  private[model] val MostClasses = 10000000
  private val LongestAxis = 1000000000

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
        ModelInput(TensorSpec(name, dtype(input, name, where), shape(input, name, where)), feed)
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
    signature
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
    val isVector = json \ "shape" match {
      case JArray(List(JString(_), _)) => true
      case _ => head == Head.Tensor
    }
    if (!isVector) throw invalid(where, s"the shape of '$name', its $called, is not [n, length]")
    ModelOutput(TensorSpec(name, dtype(json, name, where), shape(json, name, where)), head)
  }

  /** The lengths of the axes after the batch axis, which the manifest writes as a text: n. */
  private def shape(json: JValue, name: String, where: String): Seq[Int] = json \ "shape" match {
    case JArray(JString(_) :: axes) => axes.map(count(_, LongestAxis, "shape", where))
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
