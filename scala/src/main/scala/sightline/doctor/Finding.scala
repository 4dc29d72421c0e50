package sightline.doctor

import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.SightlineException

/** How bad a finding is. A blocker fails a run; a warning makes it slow, or may fail it. */
sealed abstract class Severity(val name: String)

object Severity {
  case object Blocker extends Severity("blocker")
  case object Warning extends Severity("warning")
  case object Ok extends Severity("ok")

  /** All severities, the worst first. */
  val all: Seq[Severity] = Seq(Blocker, Warning, Ok)
}

/**
 * The result of one check; `sightline/doctor/finding.py` has the same.
 *
 * @param name like a condition; an error that a run would raise has its name
 * @param found what was found
 * @param why why it matters; empty if it is ok
 * @param fix what to do; empty if it is ok
 * @param where the machine: `driver`, or `executor 1 (HOST)`
 */
final case class Finding(
    name: String,
    severity: Severity,
    found: String,
    why: String = "",
    fix: String = "",
    where: String = "driver",
)

object Finding {

  private val Sentence = """(?<=[.)\]])\s+(?=[A-Z])"""

  /** The blocker for an error of a run: its first sentence is found, the rest is the fix. */
  def of(condition: String, message: String, where: String = "driver"): Finding = {
    val sentences = message.split(Sentence, 2)
    Finding(
      condition,
      Severity.Blocker,
      sentences.head,
      "The run would stop with this error.",
      sentences.lastOption.getOrElse(message),
      where,
    )
  }

  /** The blocker for the error of `check`; none if it passes. */
  def catching(check: => Unit): Seq[Finding] =
    try {
      check
      Nil
    } catch { case error: SightlineException => Seq(of(error.code, error.detail)) }

  /** Reads the findings that `python -m sightline.doctor.print_findings` prints. */
  def parse(json: String): Seq[Finding] = {
    implicit val formats: Formats = DefaultFormats
    (JsonMethods.parse(json) \ "findings").children.map { one =>
      def text(field: String): String = (one \ field).extract[String]
      Finding(
        text("name"),
        Severity.all.find(_.name == text("severity")).get,
        text("found"),
        text("why"),
        text("fix"),
        text("where"),
      )
    }
  }
}

/** All findings of a run of `doctor`, as text and as JSON. */
final case class Findings(all: Seq[Finding]) {

  /** The findings, the blockers first; those of one severity keep their order. */
  val inOrder: Seq[Finding] = all.sortBy(one => Severity.all.indexOf(one.severity))

  def count(severity: Severity): Int = all.count(_.severity == severity)

  def isBlocked: Boolean = count(Severity.Blocker) > 0

  /** One sentence with the counts and the finding to fix first. */
  def summary: String = {
    val counts = Seq(Severity.Blocker, Severity.Warning)
      .map(severity => severity -> count(severity))
      .collect { case (severity, n) if n > 0 => s"$n ${severity.name}${if (n == 1) "" else "s"}" }
    if (counts.isEmpty) s"${all.size} checks, no blocker and no warning."
    else s"${counts.mkString(", ")}: fix ${inOrder.head.name} first."
  }

  /** The findings for people; the last line is the summary. */
  def text: String = {
    val lines = inOrder.flatMap { one =>
      val head = f"${one.severity.name}%-8s ${one.name} (${one.where}): ${one.found}"
      if (one.severity == Severity.Ok) Seq(head)
      else Seq(head, s"${" " * 11}why: ${one.why}", s"${" " * 11}fix: ${one.fix}")
    }
    (lines :+ summary).mkString("\n")
  }

  /** The same for programs. */
  def json: String = {
    val entries = inOrder.map { one =>
      ("name" -> one.name) ~ ("severity" -> one.severity.name) ~ ("found" -> one.found) ~
        ("why" -> one.why) ~ ("fix" -> one.fix) ~ ("where" -> one.where)
    }
    JsonMethods.pretty(
      ("findings" -> entries) ~ ("blockers" -> count(Severity.Blocker)) ~
        ("warnings" -> count(Severity.Warning)) ~ ("summary" -> summary)
    )
  }
}
