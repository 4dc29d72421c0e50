package sightline.sql

import org.apache.spark.sql.sightline.Statement
import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.sql.{Row, SparkSession}

import sightline.SightlineException
import sightline.model.{BundleCatalog, FoundModel, ModelName, ModelVersion, ResultType, VersionFile}
import sightline.plan.SessionModels
import sightline.source.Columns

/** `DESCRIBE MODEL`: shows a model's properties, calibrated modes and versions. */
final case class DescribeModelCommand(name: String, extended: Boolean) extends Statement {

  override def columns: StructType = new StructType()
    .add("property", StringType, nullable = false)
    .add("value", StringType)

  override def run(spark: SparkSession): Seq[Row] = {
    val found = SessionModels.find(spark, name)
    val catalog = SessionModels.catalog(spark)
    val versions =
      catalog
        .versions(ModelName.split(name)._1)
        .map(file => file -> BundleCatalog.orError(catalog.read(file)))
    val rows = described(found, versions) ++ (if (extended) files(found) else Nil)
    rows.map { case (property, value) => Row(property, value) }
  }

  private def described(
      found: FoundModel,
      versions: Seq[(VersionFile, Either[SightlineException, Option[ModelVersion]])],
  ): Seq[(String, String)] = {
    val manifest = found.bundle.manifest
    val comment = versions.collectFirst {
      case (file, Right(Some(version))) if found.version.contains(file.number) => version.comment
    }.flatten
    Seq(
      "name" -> name,
      "version" -> found.version.fold("none: CREATE MODEL did not make this bundle")(_.toString),
      "sha256" -> found.bundle.sha256,
      "task" -> manifest.signature.task,
      "classes" -> manifest.signature.classCount.toString,
      "inputs" -> manifest.signature.inputs
        .map(input => s"${input.tensor.name} (${input.feed.kind}, ${input.tensor})")
        .mkString(", "),
      "outputs" -> manifest.signature.outputs
        .map(output => s"${output.tensor.name} (${output.head.role})")
        .sorted
        .mkString(", "),
      "backends" -> found.bundle.backends.mkString(", "),
      "batch rows" -> manifest.batchRows.toSeq.sorted
        .map { case (backend, rows) => s"$backend $rows" }
        .mkString(", "),
      "calibrated modes" -> manifest.calibrated.mkString(", "),
      "options" -> found.options.toSeq.sorted.map { case (k, v) => s"$k=$v" }.mkString(", "),
      "comment" -> comment.getOrElse(""),
      "ml_predict" -> ResultType
        .prediction(manifest.signature, ResultType.DefaultTopK)
        .dataType(manifest.signature)
        .add(Columns.Error, Columns.ErrorType)
        .simpleString,
    ) ++ versions.collect {
      case (file, Left(error)) => s"version ${file.number}" -> error.getMessage
      case (file, Right(Some(version))) =>
        s"version ${file.number}" ->
          s"${version.created}, sha256 ${version.sha256.take(12)}, from ${version.source}"
    }
  }

  private def files(found: FoundModel): Seq[(String, String)] =
    found.bundle.manifest.files.toSeq.sorted.map { case (file, sha256) =>
      s"file $file" -> s"sha256 $sha256"
    } :+ ("labels" -> found.bundle.labels.mkString(", "))
}
