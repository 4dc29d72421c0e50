package sightline.sql

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.internal.VariableSubstitution
import org.apache.spark.sql.sightline.AnalysisErrors

/** The statements on models: CREATE, SHOW, DESCRIBE and DROP. */
object ModelStatement {

  private val Create = "CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name USING 'uri' " +
    "[COMMENT 'text'] [OPTIONS (key value, …)]"
  private val Show = "SHOW MODELS [LIKE 'pattern']"
  private val Describe = "DESCRIBE MODEL [EXTENDED] name"
  private val Drop = "DROP MODEL [IF EXISTS] name"

  // Cheap, since it is asked of every statement of a session.
  private val MayBe =
    """(?is)(?>\s+|--[^\n]*\n|/\*.*?\*/)*+(?:create|show|desc|describe|drop)\b.*""".r

  /** The statement, if it is one on models. */
  def parse(statement: String): Option[LogicalPlan] =
    Option
      .when(MayBe.matches(statement))(new VariableSubstitution().substitute(statement))
      .flatMap(of)

  private def of(text: String): Option[LogicalPlan] =
    StatementTokens.start(text, 4) match {
      case Seq("CREATE", "MODEL", _*) => Some(create(text))
      case Seq("CREATE", "OR", "REPLACE", "MODEL") => Some(create(text))
      // A table may be called model: only `DESCRIBE MODEL x` is ours.
      case Seq("SHOW", "MODELS", _*) => Some(read(text, Show)(show))
      case Seq("DESCRIBE" | "DESC", "MODEL", name, _*) if name != "." && name != ";" =>
        Some(read(text, Describe)(describe))
      case Seq("DROP", "MODEL", _*) => Some(read(text, Drop)(drop))
      case _ => None
    }

  private def create(text: String): LogicalPlan = read(text, Create) { words =>
    words.expect("CREATE")
    val replaces = words.skips("OR", "REPLACE")
    words.expect("MODEL")
    val ifNotExists = words.skips("IF", "NOT", "EXISTS")
    val name = words.name("the model's name")
    words.expect("USING")
    val source = words.text("the place of its bundle")
    val comment = Option.when(words.skips("COMMENT"))(words.text("the comment"))
    val options = if (words.skips("OPTIONS")) words.pairs() else Map.empty[String, String]
    CreateModelCommand(name, source, comment, options, replaces, ifNotExists)
  }

  private def show(words: StatementTokens): LogicalPlan = {
    words.expect("SHOW")
    words.expect("MODELS")
    ShowModelsCommand(Option.when(words.skips("LIKE"))(words.text("a pattern")))
  }

  private def describe(words: StatementTokens): LogicalPlan = {
    if (!words.skips("DESC")) words.expect("DESCRIBE")
    words.expect("MODEL")
    val extended = words.skips("EXTENDED")
    DescribeModelCommand(words.name("the model's name"), extended)
  }

  private def drop(words: StatementTokens): LogicalPlan = {
    words.expect("DROP")
    words.expect("MODEL")
    val ifExists = words.skips("IF", "EXISTS")
    DropModelCommand(words.name("the model's name"), ifExists)
  }

  private def read(text: String, usage: String)(statement: StatementTokens => LogicalPlan) =
    AnalysisErrors.analysed {
      val words = StatementTokens(text, usage)
      val plan = statement(words)
      words.end()
      plan
    }
}
