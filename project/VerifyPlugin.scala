import sbt.*
import sbt.Keys.*
import org.scalafmt.sbt.ScalafmtPlugin
import org.scalafmt.sbt.ScalafmtPlugin.autoImport.{scalafmtCheckAll, scalafmtSbtCheck}
import sbtassembly.AssemblyPlugin
import sbtassembly.AssemblyPlugin.autoImport.assembly
import scalafix.sbt.ScalafixPlugin
import scalafix.sbt.ScalafixPlugin.autoImport.scalafixAll

/** Tasks that run every part, even if one fails, and then list the failed parts. */
object VerifyPlugin extends AutoPlugin {
  override def requires: Plugins = ScalafmtPlugin && ScalafixPlugin && AssemblyPlugin
  override def trigger: PluginTrigger = allRequirements

  object autoImport {
    val verifyStyle = taskKey[Unit]("scalafmt and scalafix")
    val verify = taskKey[Unit]("scalafmt, scalafix and the tests")
  }
  import autoImport.*

  override def projectSettings: Seq[Setting[?]] = Seq(
    // sbt's own JUnit reports count a canceled test as passed; those of ScalaTest count it as skipped.
    Test / testOptions += Tests.Argument(
      TestFrameworks.ScalaTest,
      "-u",
      (target.value / "test-reports" / "scalatest").getPath,
    ),
    verifyStyle := demand(style.value, failures.value),
    verify := demand(style.value :+ "test" -> (Test / test).result.value, failures.value),
  )

  private val style = Def.task(
    Seq(
      "scalafmtCheckAll" -> scalafmtCheckAll.result.value,
      "scalafmtSbtCheck" -> (Compile / scalafmtSbtCheck).result.value,
      "scalafixAll --check" -> scalafixAll.toTask(" --check").result.value,
    )
  )

  /** One line for each part that failed, which scripts/verify.py repeats at its end. */
  private val failures = Def.setting(target.value / "test-reports" / "failures.txt")

  private def demand(parts: Seq[(String, Result[?])], file: File): Unit = {
    val failed = parts.collect { case (name, Inc(cause)) =>
      val reasons = Incomplete.allExceptions(cause).map(_.getMessage).filter(_ != null)
      (name +: reasons.toSeq.distinct).mkString(": ").replace('\n', ' ')
    }
    if (failed.nonEmpty) {
      IO.writeLines(file, failed)
      throw new MessageOnlyException(failed.mkString("; "))
    }
  }
}
