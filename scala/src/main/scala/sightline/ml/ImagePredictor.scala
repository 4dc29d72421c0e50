package sightline.ml

import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{Identifiable, MLReadable, MLReader, MLWritable, MLWriter}

/** Predicts the label of each image: `struct<label, class_id, score, top_k>`. */
final class ImagePredictor(override val uid: String) extends ImagePrediction with MLWritable {

  def this() = this(Identifiable.randomUID("imagePredictor"))

  override def copy(extra: ParamMap): ImagePredictor = defaultCopy(extra)
  override def write: MLWriter = new StageWriter(this)
}

object ImagePredictor extends MLReadable[ImagePredictor] {
  override def read: MLReader[ImagePredictor] =
    new StageReader(classOf[ImagePredictor], saved => new ImagePredictor(saved.uid))
}
