package sightline.sql

import org.antlr.v4.runtime.Token
import org.apache.spark.sql.internal.VariableSubstitution
import org.apache.spark.sql.sightline.{
  AnalysisErrors,
  ScriptText,
  Statement,
  StatementParameters,
  StatementSyntax,
}

/** The statements on models: CREATE, SHOW, DESCRIBE and DROP. */
object ModelStatement extends StatementSyntax {

  private val Create = "CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name USING 'uri' " +
    "[COMMENT 'text'] [OPTIONS (key value, …)]"
  private val Show = "SHOW MODELS [LIKE 'pattern']"
  private val Describe = "DESCRIBE MODEL [EXTENDED] name"
  private val Drop = "DROP MODEL [IF EXISTS] name"

  // This check is cheap because it runs on every statement of a session.
  private val MayBe =
    """(?is)(?>\s+|--[^\n]*\n|/\*.*?\*/)*+(?:create|show|desc|describe|drop)\b.*""".r

  override def statement(
      text: String,
      parameters: => StatementParameters,
  ): Option[Statement] = parse(text, parameters)

  override def script(text: String, parameters: => StatementParameters): Option[ScriptText] =
    ModelScript.parse(text, parameters)

  /** Parses the statement if it is one on models; None otherwise. */
  def parse(
      statement: String,
      parameters: => StatementParameters = StatementParameters.none,
  ): Option[Statement] =
    Option
      .when(MayBe.matches(statement))(new VariableSubstitution().substitute(statement))
      .flatMap { text =>
        form(StatementTokens.start(text, 4)).map { case (usage, statement) =>
          AnalysisErrors.analysed {
            val words = StatementTokens(text, usage, parameters)
            val parsed = statement(words)
            words.end()
            parsed
          }
        }
      }

  /** Whether a statement that begins with these tokens is one on models. */
  def begins(words: Seq[Token]): Boolean = form(words.map(StatementTokens.word)).isDefined

  /** The usage text and the parser for a statement that begins with these tokens. */
  private def form(start: Seq[String]): Option[(String, StatementTokens => Statement)] =
    start match {
      case Seq("CREATE", "MODEL", _*) => Some(Create -> create)
      case Seq("CREATE", "OR", "REPLACE", "MODEL") => Some(Create -> create)
      // A table can be named model, so only `DESCRIBE MODEL x` is a statement on models.
      case Seq("SHOW", "MODELS", _*) => Some(Show -> show)
      case Seq("DESCRIBE" | "DESC", "MODEL", name, _*) if name != "." && name != ";" =>
        Some(Describe -> describe)
      case Seq("DROP", "MODEL", _*) => Some(Drop -> drop)
      case _ => None
    }

  private def create(words: StatementTokens): Statement = {
    words.expect("CREATE")
    val replaces = words.skips("OR", "REPLACE")
    words.expect("MODEL")
    val ifNotExists = words.skips("IF", "NOT", "EXISTS")
    val name = words.name("the model's name")
    words.expect("USING")
    val source = words.text("the bundle's path")
    val comment = Option.when(words.skips("COMMENT"))(words.text("the comment"))
    val options = if (words.skips("OPTIONS")) words.pairs() else Map.empty[String, String]
    CreateModelCommand(name, source, comment, options, replaces, ifNotExists)
  }

  private def show(words: StatementTokens): Statement = {
    words.expect("SHOW")
    words.expect("MODELS")
    ShowModelsCommand(Option.when(words.skips("LIKE"))(words.text("a pattern")))
  }

  private def describe(words: StatementTokens): Statement = {
    if (!words.skips("DESC")) words.expect("DESCRIBE")
    words.expect("MODEL")
    val extended = words.skips("EXTENDED")
    DescribeModelCommand(words.name("the model's name"), extended)
  }

  private def drop(words: StatementTokens): Statement = {
    words.expect("DROP")
    words.expect("MODEL")
    val ifExists = words.skips("IF", "EXISTS")
    DropModelCommand(words.name("the model's name"), ifExists)
  }
}
