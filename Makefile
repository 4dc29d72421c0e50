# Each target is a sentence here and a line or two below; the scripts say the rest.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo jar gcs-server test test-quick coverage bench format check wheel images test-images lock clean tools

ENVIRONMENT := .venv/.ready
BUNDLE := models/efficientnet_lite0/model.json
JAR := dist/sightline.jar
BENCHMARK := .venv/bin/python benchmarks/run.py
TRACKING_SERVER := .tools/mlflow/installed.lock
TENSORFLOW := .tools/tensorflow/installed.lock
CLOUDS := .tools/clouds/installed.lock
SPARKS := .tools/spark-4.0/installed.lock .tools/spark-4.2/installed.lock
JAR_SOURCES := $(shell find build.sbt project/*.* scala/src/main scala/src/spark-4.1-4.2 python/src/sightline models/id_fraud \
	-type f -not -name '*.pyc' 2>/dev/null)

help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: $(ENVIRONMENT) $(JAR) $(BUNDLE) ## Make .venv, dist/sightline.jar and the bundle efficientnet_lite0; a second time takes seconds.
	@scripts/make_class_archive.sh || echo "    Without the class archive Spark's start takes more CPU time; all else works." >&2
	@echo "Ready: .venv, $(JAR), models/efficientnet_lite0."

demo: setup ## Draw identity cards, classify them with the jar, and print a SQL report and a confusion matrix.
	@rm -rf build/demo && examples/fraud_id/demo.sh

jar: $(ENVIRONMENT) | tools ## Build the jar for another Spark: make jar SPARK=4.0 (or 4.2); `make setup` builds that for 4.1.
	@scripts/step.sh "dist/sightline_spark-$(SPARK).jar" scripts/make_spark.sh "$(SPARK)" --jar

test: $(ENVIRONMENT) $(BUNDLE) $(TRACKING_SERVER) $(TENSORFLOW) $(CLOUDS) $(SPARKS) ## Run the checks and every test, Scala and Python; the last line counts them (about 30 minutes).
	@CHROMIUM="$$(scripts/find_browser.sh || true)" .venv/bin/python scripts/verify.py everything

test-quick: $(ENVIRONMENT) $(BUNDLE) ## Check the languages that differ from branch main, and run the fast tests of both (under 4 minutes).
	@.venv/bin/python scripts/verify.py quick

coverage: $(ENVIRONMENT) ## Report the lines and branches that the tests of each language reach, in target/coverage/.
	@.venv/bin/python scripts/verify.py coverage
	@scripts/scala_coverage.sh

check: $(ENVIRONMENT) ## Check format, style, types, layers and the files of containers, and run nothing.
	@.venv/bin/python scripts/verify.py style

bench: setup ## Measure the cost of an image on this machine, beside raw parts and other tools, and its growth (two hours on two cores); ONLY=camera: one part.
	@$(BENCHMARK) $(if $(ONLY),--only $(ONLY))
	@$(BENCHMARK) report --chart build/bench/performance.png
ifndef ONLY
	-@$(MAKE) --no-print-directory models/mobilenet_v2/model.json && $(BENCHMARK) scaling
	@$(BENCHMARK) pca --rows 10000,100000,1000000
	@$(BENCHMARK) report
	@$(BENCHMARK) report --page growth
endif

gcs-server: $(CLOUDS) ## Build with Go the server that the tests of gs:// start (five minutes); without it they are skipped.
	@scripts/step.sh "The server of the gs:// tests into .tools/clouds" scripts/make_clouds.sh --gcs

format: $(ENVIRONMENT) ## Rewrite the sources to the format, and mend what the linters can.
	@scripts/sbt.sh scalafixAll scalafmtAll scalafmtSbt
	@.venv/bin/ruff check --fix && .venv/bin/ruff format

wheel: setup ## Build the wheel in dist/, with the jar and the model id_fraud inside.
	@cd python && ../.venv/bin/python -m hatchling build -t wheel -d ../dist

test-images: $(ENVIRONMENT) $(BUNDLE) $(JAR) ## Build the image sightline:cpu with docker or buildah, and test it (6 to 9 minutes); `make test` does not.
	@SIGHTLINE_TEST_IMAGES=1 .venv/bin/python -m pytest -c python/pyproject.toml --rootdir . tests/test_images.py

images: wheel ## Build the image sightline:cpu with docker or buildah; TARGETS="cuda jupyter mlflow": others (docs/containers.md).
	@scripts/make_images.sh $(or $(TARGETS),cpu)

lock: $(ENVIRONMENT) ## Write requirements.lock again from python/pyproject.toml, keeping versions that still fit.
	@scripts/lock.sh

clean: ## Remove what was built, but neither .venv nor the models.
	@rm -rf dist build target project/target project/project .bsp .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

tools:
	@scripts/check_tools.sh

$(ENVIRONMENT): requirements.lock python/pyproject.toml python/hatch_build.py scripts/make_environment.sh | tools
	@scripts/step.sh "Python packages of requirements.lock into .venv (6 GB with torch)" scripts/make_environment.sh
	@touch $@

# Where it cannot be had, the tests that need it are skipped with that reason.
$(TRACKING_SERVER): tests/mlflow.lock $(ENVIRONMENT)
	-@scripts/step.sh "The MLflow server of the tests into .tools/mlflow (600 MB)" scripts/make_tracking_server.sh && touch $@

$(TENSORFLOW): tests/tensorflow.lock $(ENVIRONMENT)
	-@scripts/step.sh "The TensorFlow of the tests into .tools/tensorflow (1.6 GB)" scripts/make_tensorflow.sh && touch $@

$(CLOUDS): tests/clouds.lock tests/clouds/pom.xml $(ENVIRONMENT)
	-@scripts/step.sh "The connectors and the local object stores of the tests into .tools/clouds (350 MB)" scripts/make_clouds.sh && touch $@

$(SPARKS): .tools/spark-%/installed.lock: project/spark-%.lock $(ENVIRONMENT)
	-@scripts/step.sh "Spark $* of the tests into .tools/spark-$* (450 MB)" scripts/make_spark.sh "$*" && touch $@

$(JAR): $(JAR_SOURCES) $(ENVIRONMENT) | tools
	@scripts/step.sh "Scala and Python sources into $(JAR)" scripts/sbt.sh assembly
	@touch $@

$(BUNDLE) models/mobilenet_v2/model.json: models/%/model.json: $(ENVIRONMENT) | tools
	@scripts/step.sh "The bundle $* into models/" scripts/make_bundle.sh $*
	@touch $@
