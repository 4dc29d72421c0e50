import sbt.*
import sbt.Keys.*
import org.scalafmt.sbt.ScalafmtPlugin
import org.scalafmt.sbt.ScalafmtPlugin.autoImport.{scalafmtCheckAll, scalafmtSbtCheck}
import sbtassembly.AssemblyPlugin
import sbtassembly.AssemblyPlugin.autoImport.assembly
import scalafix.sbt.ScalafixPlugin
import scalafix.sbt.ScalafixPlugin.autoImport.scalafixAll

/** Tasks that run every part even if one fails, and then name those that failed. */
object VerifyPlugin extends AutoPlugin {
  override def requires: Plugins = ScalafmtPlugin && ScalafixPlugin && AssemblyPlugin
  override def trigger: PluginTrigger = allRequirements

  object autoImport {
    val verifyStyle = taskKey[Unit]("scalafmt and scalafix")
    val verify = taskKey[Unit]("scalafmt, scalafix, the tests, and the jar")
  }
  import autoImport.*

  override def projectSettings: Seq[Setting[?]] = Seq(
    verifyStyle := {
      val parts = Seq(
        "scalafmtCheckAll" -> scalafmtCheckAll.result.value,
        "scalafmtSbtCheck" -> (Compile / scalafmtSbtCheck).result.value,
        "scalafixAll --check" -> scalafixAll.toTask(" --check").result.value,
      )
      demand(parts)
    },
    verify := {
      val parts = Seq(
        "style" -> verifyStyle.result.value,
        "test" -> (Test / test).result.value,
        "assembly" -> assembly.result.value,
      )
      demand(parts)
    },
  )

  private def demand(parts: Seq[(String, Result[?])]): Unit = {
    val failed = parts.collect { case (name, Inc(cause)) =>
      val reasons = Incomplete.allExceptions(cause).map(_.getMessage).filter(_ != null).toSeq.distinct
      (name +: reasons).mkString(": ")
    }
    if (failed.nonEmpty) throw new MessageOnlyException(failed.mkString("failed: ", "; ", ""))
  }
}
