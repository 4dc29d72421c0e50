package sightline.plan

import java.nio.file.Files

import scala.util.hashing.MurmurHash3
import scala.util.{Failure, Success, Try}

import org.apache.commons.io.FileUtils
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, RepartitionOperation}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.apache.spark.sql.execution.{QueryExecution, SparkPlan}
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

import sightline.plan.QueryShape.{Failed, OtherRows, Outcome, Ran}
import sightline.schedule.WorkerCounters
import sightline.{LocalSpark, TestFolder}

/**
 * Compares each shape of a query with the same query over precomputed predictions. The rows must be equal;
 * no image may be inferred twice, and no image whose result the query does not use.
 */
final class InferOnceSuite
    extends AnyFunSuite
    with LocalSpark
    with BeforeAndAfterAll
    with AdaptiveSparkPlanHelper {

  private lazy val folder = Files.createTempDirectory("sightline-shapes-").toRealPath()

  // A separate session, for the settings, views and functions of this suite.
  private lazy val session: SparkSession = spark.newSession()
  private lazy val tables = new ImageTables(session, folder)

  override protected def beforeAll(): Unit = {
    super.beforeAll()
    tables.create()
  }

  override protected def afterAll(): Unit = {
    report(found.result())
    FileUtils.deleteQuietly(folder.toFile): Unit
    super.afterAll()
  }

  private val Adaptive = "spark.sql.adaptive.enabled"
  private val Ansi = "spark.sql.ansi.enabled"
  private val ReuseExchange = "spark.sql.exchange.reuse"
  private val Codegen = "spark.sql.codegen.wholeStage"

  /** One of the eight combinations of three settings. A shape has the same one in every run. */
  private def settings(shape: QueryShape): Map[String, Boolean] = {
    val choice = MurmurHash3.stringHash(shape.name)
    Seq(Adaptive, Ansi, Codegen).zipWithIndex.map { case (key, bit) =>
      key -> ((choice >> bit & 1) == 1)
    }.toMap
  }

  private def withSettings[A](settings: Map[String, Boolean])(run: => A): A = {
    settings.foreach { case (key, value) => session.conf.set(key, value) }
    try run
    finally settings.keys.foreach(session.conf.unset)
  }

  /** The operators that ran a model; those below a reused exchange count once. */
  private def nodes(frame: DataFrame): Seq[SparkPlan] =
    collectWithSubqueries(frame.queryExecution.executedPlan) {
      case node: ArrowEvalPythonExec => node
      case node: MapInArrowExec => node
    }

  private val Received = "pythonNumRowsReceived"

  /** The increase of the workers' counters during `run`. */
  private def counted(run: => Any): Map[String, Int] = {
    def now = WorkerCounters.of(spark.sparkContext).values
    val before = now
    run: Unit
    now.map { case (name, value) => name -> (value - before.getOrElse(name, 0d)).toInt }
  }

  private def decoded(run: => Any): Int = counted(run).getOrElse("decoded", 0)

  private def texts(rows: Seq[Row], ordered: Boolean): Seq[String] = {
    val all = rows.map(_.toString)
    if (ordered) all else all.sorted
  }

  /** The rows of the same query over precomputed predictions, without AQE and code generation. */
  private def reference(shape: QueryShape, ansi: Boolean): Seq[Row] =
    withSettings(Map(Adaptive -> false, Codegen -> false, Ansi -> ansi)) {
      session.sql(shape.sql(tables.byHand)).collect().toSeq
    }

  private def run(shape: QueryShape, settings: Map[String, Boolean]): Outcome = {
    val expected = reference(shape, settings(Ansi))
    assert(expected.nonEmpty, s"${shape.name}: rows to compare")
    withSettings(settings) {
      val answer = Try {
        val frame = session.sql(shape.sql(tables.model))
        val rows = Seq.newBuilder[Row]
        val counts = counted(rows ++= frame.collect())
        (frame, rows.result(), counts)
      }
      answer match {
        case Failure(error) => Failed(condition(error))
        case Success((frame, rows, counts)) =>
          requireStable(shape, frame.queryExecution)
          val equal = texts(rows, shape.ordered) == texts(expected, shape.ordered)
          if (equal || !shape.rows) ran(frame, counts) else OtherRows
      }
    }
  }

  private def ran(frame: DataFrame, counts: Map[String, Int]): Ran = {
    val inferring = nodes(frame)
    // A worker that Spark stops early, such as below a limit, sends no counts.
    val images =
      if (counts.getOrElse("images", 0) > 0) counts("decoded")
      else inferring.map(_.metrics(Received).value.toInt).sum
    Ran(inferring.size, images)
  }

  /** Checks that Sightline's rules do not change a plan again that they have already changed. */
  private def requireStable(shape: QueryShape, execution: QueryExecution): Unit = {
    def require(rule: Rule[LogicalPlan], plan: LogicalPlan): Unit =
      if (rule(plan) != plan) fail(s"${shape.name}: ${rule.ruleName} changes its own result")
    require(new ShareInference(session), execution.normalized)
    require(new ExtractInference(session), execution.normalized)
    require(OptimizeInference, execution.optimizedPlan)
  }

  /** The first error condition in the message, or the message's first line. */
  private def condition(error: Throwable): String = {
    val message = String.valueOf(error.getMessage)
    "[A-Z]+_[A-Z_]+".r.findFirstIn(message).getOrElse(message.linesIterator.next())
  }

  private def expected(shape: QueryShape): Outcome =
    KnownDeviations.all.getOrElse(shape.name, shape.ideal)

  private def report(found: Seq[(QueryShape, Outcome)]): Unit = {
    val line = "%-60s %-4s %-4s %-7s %-8s %s"
    println(line.format("query", "AQE", "ANSI", "codegen", "ideal", "nodes that infer × images"))
    found.foreach { case (shape, outcome) =>
      val on = settings(shape).view.mapValues(if (_) "on" else "off")
      println(line.format(shape.name, on(Adaptive), on(Ansi), on(Codegen), shape.ideal, outcome))
    }
    val rows = found.count(_._2.isInstanceOf[Ran])
    val ideal = found.count { case (shape, outcome) => outcome == shape.ideal }
    println(
      s"${found.size} shapes of queries: $rows gave the rows of the reference, $ideal with the ideal inference"
    )
  }

  test("the predictions of the reference are the colours of the images") {
    val rows = session
      .sql(
        s"""SELECT id, ${tables.byHand.colour("content")}.label,
           |  ${tables.byHand.means("content")}.label, ${tables.byHand.features(
            "content"
          )}.features,
           |  ${tables.byHand.file("file")}.label, ${tables.byHand.colour("content")}.error.code
           |FROM images WHERE id IN (1, 4, 8, 9, 10) ORDER BY id""".stripMargin
      )
      .collect()
      .toSeq
    val none: String = None.orNull
    assert(
      rows == Seq(
        Row(1, "red", "red", Seq(255f, 0f, 0f), "red", none),
        Row(4, "green", "green", Seq(0f, 255f, 0f), "green", none),
        Row(8, "blue", "blue", Seq(0f, 0f, 255f), "blue", none),
        Row(9, none, none, None.orNull, none, "UNSUPPORTED"),
        Row(10, none, none, None.orNull, none, none),
      )
    )
  }

  private val shapes = Seq(
    "a call in every place of a query, bare and under conditions" -> CallShapes.all,
    "a relation with a call's result, in every form and with every use" -> RelationShapes.all,
    "other queries with calls" -> SingleShapes.all,
  )
  private val found = Seq.newBuilder[(QueryShape, Outcome)]

  shapes.foreach { case (kind, shapes) =>
    shapes.groupBy(_.family).toSeq.sortBy(_._1).foreach { case (family, shapes) =>
      test(s"$kind: $family") {
        val outcomes = shapes.map(shape => shape -> run(shape, settings(shape)))
        found ++= outcomes
        outcomes.foreach { case (shape, outcome) =>
          assert(outcome == expected(shape), s"for ${shape.name}")
        }
      }
    }
  }

  test("the names of shapes are unique, and every known deviation has a shape") {
    val names = shapes.flatMap(_._2).map(_.name)
    assert(names.distinct.size == names.size)
    assert(KnownDeviations.all.keySet.diff(names.toSet).isEmpty)
  }

  test("without exchange reuse each use runs its own inference, and no shuffle is added") {
    val everywhere = SingleShapes.all.find(_.name == "the view in every subquery").get
    val joined = RelationShapes.all.find(_.name == "joined with itself: WITH").get
    session.conf.set(ReuseExchange, value = false)
    try {
      assert(run(joined, Map(Ansi -> true)) == Ran(2, 18))
      assert(run(everywhere, Map(Ansi -> true)) == Ran(4, 36))
      val plan = session.sql(joined.sql(tables.model)).queryExecution.optimizedPlan
      assert(!plan.exists(_.isInstanceOf[RepartitionOperation]))
    } finally session.conf.unset(ReuseExchange)
    val plan = session.sql(joined.sql(tables.model)).queryExecution.optimizedPlan
    assert(plan.exists(_.isInstanceOf[RepartitionOperation]))
  }

  test("a cached view is inferred once, when it is cached") {
    session.sql("CACHE TABLE answers"): Unit
    try {
      session.table("answers").count(): Unit
      Seq(
        "SELECT r.label FROM answers WHERE r.score > 0.5",
        "SELECT a.id FROM answers a JOIN answers b ON a.r.label = b.r.label",
      ).foreach(sql => assert(decoded(session.sql(sql).collect()) == 0, sql))
    } finally session.sql("UNCACHE TABLE answers"): Unit
    assert(decoded(session.sql("SELECT r.label FROM answers").collect()) == 9)
  }

  test("a cached frame that uses a WITH twice is inferred once, when it is cached") {
    val pairs = session
      .sql(
        """WITH w AS (SELECT id, r.label AS label FROM answers)
          |SELECT x.id, y.id AS other FROM w x JOIN w y ON x.label = y.label""".stripMargin
      )
      .cache()
    try {
      assert(decoded(pairs.count()) == 9)
      val rows = Seq.newBuilder[Row]
      assert(decoded(rows ++= pairs.where("id < other AND id < 4").collect()) == 0)
      assert(rows.result().map(_.toString).sorted == Seq("[1,2]", "[1,3]", "[2,3]"))
    } finally pairs.unpersist(): Unit
  }

  test("a join of a frame with itself is inferred once, with the right rows") {
    val answers = session.table("answers").selectExpr("id", "r.label AS label")
    val joined = answers.as("a").join(answers.as("b"), "label")
    val rows = Seq.newBuilder[Long]
    assert(decoded(rows += joined.count()) == 9)
    assert(rows.result() == Seq(3L * 3 + 1 + 4 * 4))
  }

  test("the union of a frame with itself is inferred once, with the right rows") {
    val answers = session.table("answers").selectExpr("id", "r.label AS label")
    val rows = Seq.newBuilder[Row]
    assert(decoded(rows ++= answers.union(answers).where("label = 'red'").collect()) == 9)
    assert(rows.result().map(_.getInt(0)).sorted == Seq(1, 1, 2, 2, 3, 3))
  }

  test("CREATE TABLE AS with a correlated subquery is inferred once, with the right rows") {
    TestFolder.withFolder { folder =>
      val create = s"""CREATE TABLE alike USING parquet LOCATION '$folder/alike' AS
        |SELECT id, r.label FROM answers x WHERE EXISTS
        |(SELECT 1 FROM answers y WHERE y.r.label = x.r.label AND y.id > x.id)""".stripMargin
      try {
        assert(decoded(session.sql(create)) == 9)
        assert(
          session.table("alike").collect().map(_.toString).sorted.toSeq ==
            Seq("[1,red]", "[2,red]", "[5,blue]", "[6,blue]", "[7,blue]")
        )
      } finally session.sql("DROP TABLE IF EXISTS alike"): Unit
    }
  }

  test("INSERT OVERWRITE DIRECTORY infers its query once") {
    TestFolder.withFolder { folder =>
      val insert = s"""INSERT OVERWRITE DIRECTORY '$folder/out' USING parquet
        |SELECT a.id, b.r.label FROM answers a JOIN answers b ON a.id = b.id WHERE a.r.score > 0""".stripMargin
      assert(decoded(session.sql(insert)) == 9)
      assert(spark.read.parquet(s"$folder/out").count() == 8)
    }
  }
}
