package sightline.cli

import org.apache.hadoop.fs.Path
import org.json4s.JsonDSL.*

import sightline.model.{BundleCatalog, ModelRegistry}
import sightline.plan.SessionModels
import sightline.report.{LocalRun, RunRecord, Stopwatch, Tracking}
import sightline.train.{TrainOutput, Trained, Training}

/**
 * A run of `train` with checked options.
 *
 * @param register the name in the models root; None: the model stays in the output
 * @param models the models root; None: the session's
 * @param tracking the server to log the run to; None: the run is not logged
 */
final case class TrainRun(
    training: Training,
    register: Option[String],
    models: Option[String],
    tracking: Option[Tracking],
) {

  /** Trains, registers the model and writes the record of the run. */
  def run(invocation: Invocation): Unit = {
    val spark = invocation.spark
    val watch = new Stopwatch(invocation.started)
    lazy val registry = register.map(name => prepared(SessionModels.registry(spark, models), name))
    training.run(spark, watch) {
      registry: Unit
      tracking.foreach(_.check(spark))
    }(finish(invocation, watch, registry, _))
  }

  private def finish(
      invocation: Invocation,
      watch: Stopwatch,
      registry: Option[ModelRegistry],
      trained: Trained,
  ): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val version = for {
      name <- register
      models <- registry
    } yield watch("register") {
      // `finish` has compared the model's backends on its golden images, as CREATE MODEL does.
      val found = new BundleCatalog(None, hadoop).find(trained.bundle).bundle
      val (_, created) =
        models.create(name, found, trained.bundle, None, Map.empty, replaces = true)
      created.number
    }
    RunRecord.write(
      RunRecord(
        spark,
        TrainCommand.name,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        trained.record ~
          ("registered" -> register.zip(version).map { case (name, number) =>
            ("name" -> name) ~ ("version" -> number)
          }),
      ),
      new Path(trained.folder, "run.json"),
      hadoop,
    )
    println(TrainSummary(trained, training.output, watch, register.zip(version)).text)
    tracking.foreach { server =>
      LocalRun(trained.folder, hadoop, TrainRun.Tracked, made = Nil) { local =>
        println(server.log(spark, local, training.output).trim)
      }
    }
  }

  private def prepared(registry: ModelRegistry, name: String): ModelRegistry = {
    registry.prepare(name)
    registry
  }
}

object TrainRun {

  /** Files and folders that are logged to a tracking server. */
  private val Tracked = Seq(
    TrainOutput.SettingsFile,
    "history.json",
    "evaluation.json",
    "report.html",
    "model_card.md",
    "models",
  )
}
