package sightline.ml

import org.apache.spark.ml.attribute.NominalAttribute
import org.apache.spark.ml.linalg.SQLDataTypes
import org.apache.spark.sql.types.{DoubleType, StringType, StructField}

/** The columns that a classifier adds, with the Params that name them. */
private[ml] object PredictionColumns {

  /** @param labels the labels in the order of their indices; empty if they are not known yet */
  def apply(params: ClassifierParams, labels: Seq[String]): Seq[(String, StructField)] = {
    val prediction = NominalAttribute.defaultAttr.withName(params.getPredictionCol)
    val named = if (labels.isEmpty) prediction else prediction.withValues(labels.toArray)
    Seq(
      params.predictionCol.name ->
        StructField(params.getPredictionCol, DoubleType, nullable = true, named.toMetadata()),
      params.predictedLabelCol.name -> StructField(params.getPredictedLabelCol, StringType),
      params.probabilityCol.name -> StructField(
        params.getProbabilityCol,
        SQLDataTypes.VectorType,
      ),
    )
  }
}
