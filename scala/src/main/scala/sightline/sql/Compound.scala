package sightline.sql

import org.antlr.v4.runtime.Token

/** Compound statements: `BEGIN … END`. */
object Compound {

  // After these tokens, BEGIN and END are column names, which Spark allows.
  private val BeforeName =
    Set(
      ".",
      ",",
      "(",
      "SELECT",
      "AS",
      "BY",
      "DISTINCT",
      "WHERE",
      "AND",
      "OR",
      "NOT",
      "WHEN",
      "ON",
    ) ++
      Set("=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||", "THEN", "ELSE")

  // `END IF` and the like close blocks that are not counted.
  private val Ended = Set("IF", "WHILE", "FOR", "LOOP", "REPEAT")

  /** Whether a statement with these tokens is a compound statement. */
  def begins(words: Seq[Token]): Boolean =
    words.headOption.exists(StatementTokens.word(_) == "BEGIN")

  /**
   * The indexes of the semicolons that end a statement. Semicolons inside a compound statement are
   * not included.
   *
   * @param words the tokens of a whole script
   */
  def ends(words: IndexedSeq[Token]): Seq[Int] = {
    val texts = words.map(StatementTokens.word)
    // For each token, the blocks that are open before it, innermost first, and the statement's
    // start.
    val open = words.indices.scanLeft((List.empty[String], 0)) { case ((blocks, start), at) =>
      val isCompound = begins(words.slice(start, start + 1))
      val before = if (at > start) texts(at - 1) else ""
      texts(at) match {
        case ";" if blocks.isEmpty => (Nil, at + 1)
        case "BEGIN" if isCompound && !BeforeName(before) => ("BEGIN" :: blocks, start)
        case "CASE" if isCompound && before != "END" && before != "." => ("CASE" :: blocks, start)
        case "END" if !texts.lift(at + 1).exists(Ended) =>
          blocks match {
            case "CASE" :: rest if !BeforeName(before) => (rest, start)
            case "BEGIN" :: rest if Set(";", "BEGIN", "ATOMIC")(before) => (rest, start)
            case _ => (blocks, start)
          }
        case _ => (blocks, start)
      }
    }
    words.indices.filter(at => texts(at) == ";" && open(at)._1.isEmpty)
  }
}
