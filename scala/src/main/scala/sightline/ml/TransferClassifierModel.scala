package sightline.ml

import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{MLReadable, MLReader, MLWritable, MLWriter}
import org.json4s.*

/**
 * The network that [[TransferClassifier]] trained. It predicts as [[ImagePredictor]].
 *
 * @param run the folder of the training run, a path or URI
 */
final class TransferClassifierModel private[ml] (override val uid: String, val run: String)
    extends Model[TransferClassifierModel]
    with ImagePrediction
    with MLWritable {

  override def copy(extra: ParamMap): TransferClassifierModel =
    copyValues(new TransferClassifierModel(uid, run), extra).setParent(parent)

  override def write: MLWriter =
    new StageWriter(this, JObject(TransferClassifierModel.Run -> JString(run)))
}

object TransferClassifierModel extends MLReadable[TransferClassifierModel] {

  private val Run = "run"

  override def read: MLReader[TransferClassifierModel] = new StageReader(
    classOf[TransferClassifierModel],
    saved => {
      implicit val formats: Formats = DefaultFormats
      new TransferClassifierModel(saved.uid, (saved.metadata \ Run).extract[String])
    },
  )
}
