package sightline.vectors

import org.apache.spark.sql.expressions.Window
import org.apache.spark.sql.functions.*
import org.apache.spark.sql.{DataFrame, Encoders}

import sightline.OptionValue
import sightline.plan.VectorMath
import sightline.source.Columns

/**
 * Groups of near duplicates: the connected components of the pairs of vectors whose cosine similarity
 * is at least a threshold.
 *
 * @param threshold the least cosine similarity of a pair, above 0 and at most 1
 * @param id the column that identifies a row, of any type that can be cast to a text
 * @param features the column of vectors, `ARRAY<FLOAT>` of one dimension
 * @param recall the least probability with which a pair at the threshold is found; 1 compares all
 *   pairs. Tables of at most [[BucketPlan.ExactRows]] rows are always compared completely.
 */
final case class NearDuplicates(
    threshold: Double = 0.95,
    id: String = Columns.Path,
    features: String = Columns.Features,
    recall: Double = 0.99,
) {
  Seq("threshold" -> threshold, "recall" -> recall).foreach { case (name, value) =>
    if (!(value > 0 && value <= 1)) {
      throw OptionValue.invalid(name, value, "It must be above 0 and at most 1.")
    }
  }
  if (NearDuplicates.Own.exists(id.equalsIgnoreCase)) {
    val own = NearDuplicates.Own.mkString(" and ")
    throw OptionValue.invalid("id", id, s"The result has its own columns $own. Rename the column.")
  }

  /**
   * The members of groups with at least two rows: `group_id, <id>, similarity`. `group_id` is the text
   * of the id of the group's representative, which is the smallest text of an id in the group.
   * `similarity` is the cosine similarity to the representative. Rows without an id or with a vector
   * that is NULL or empty, contains NULL, NaN or an infinity, or consists of zeros, are in no group.
   *
   * The frame is evaluated up to three times, so store features before they are compared. No job runs
   * before the result is used.
   *
   * @param table a table with the columns `id` and `features`
   * @throws sightline.SightlineException UNKNOWN_COLUMN, WRONG_COLUMN_TYPE; in a job
   *   VECTOR_DIMENSION_MISMATCH
   */
  def groups(table: DataFrame): DataFrame = {
    val vector = VectorTable.vectors(NearDuplicates.Function, table, features)
    val key = VectorTable.column(NearDuplicates.Function, table, id)
    val usable = table
      .select(key.as(Key), key.cast("string").as(Text), vector.as(Vector))
      .where(col(Text).isNotNull && VectorTable.hasDirection(col(Vector)))
    val groups = usable.join(members(usable), col(Text) === col(Member))
    val first = Window.partitionBy(Group).orderBy(col(Text) =!= col(Group), col(Text))
    groups
      .withColumn(Representative, first_value(col(Vector)).over(first))
      .select(
        col(Group).as(NearDuplicates.GroupId),
        col(Key).as(id),
        call_function(VectorMath.CosineSimilarity, col(Vector), col(Representative))
          .as(NearDuplicates.Similarity),
      )
  }

  // The intermediate tables have no column with a name of the user's.
  private val Key = "key"
  private val Text = "text"
  private val Vector = "vector"
  private val Member = "member"
  private val Group = "group"
  private val Representative = "representative"

  private def members(usable: DataFrame): DataFrame = {
    val spark = usable.sparkSession
    val least = threshold
    val wanted = recall
    val length = size(col(Vector))
    val set = usable
      .agg(
        count(lit(1)).as("rows"),
        coalesce(min(length), lit(0)).as("least"),
        coalesce(max(length), lit(0)).as("most"),
      )
      .select(struct(col("rows"), col("least"), col("most")).as("set"))
    val items = usable
      .select(col(Text).as("id"), col(Vector).as("features"), set.scalar().as("set"))
      .as[Item](Encoders.product)
      .mapPartitions(BucketPlan.distribute(_, least, wanted))(Encoders.product)
    // The number of partitions is given, because Spark would choose one by bytes, and the work is not
    // proportional to them.
    val partitions = spark.conf.get("spark.sql.shuffle.partitions").toInt
    items
      .repartition(partitions, col("bucket"))
      .groupBy("bucket")
      .as[Long, BucketItem](Encoders.scalaLong, Encoders.product)
      .flatMapGroups((_, bucket) => SimilarPairs.edges(bucket.toIndexedSeq, least))(
        Encoders.product
      )
      .mapPartitions(DisjointSets.forest(_))(Encoders.product)
      .repartition(1)
      .mapPartitions(DisjointSets.members(_))(Encoders.product)
      .toDF(Member, Group)
  }
}

object NearDuplicates {

  /** The name of the table function. */
  val Function = "near_duplicates"

  private val GroupId = "group_id"
  private val Similarity = "similarity"

  // The names of the result's columns beside the id.
  private val Own = Seq(GroupId, Similarity)
}

/** The number of vectors of a table, and the smallest and the largest dimension. */
final private[vectors] case class SetSize(rows: Long, least: Int, most: Int)

/** A vector of a table. */
final private[vectors] case class Item(id: String, features: Array[Float], set: SetSize)

/** A vector in one of its buckets, scaled to length 1. */
final private[vectors] case class BucketItem(bucket: Long, id: String, unit: Array[Float])

/** A pair of near duplicates, by their ids. */
final private[vectors] case class Edge(a: String, b: String)
