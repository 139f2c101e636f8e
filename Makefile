# Everything runs with Python 3.11 to 3.13 and make alone; the first target that is made installs .venv from the lock.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
# `make run PORT=9000`, `make ui PORT=9001`. From the command line alone: HOST and PORT in the environment are often meant for something else;
# the service has INKLING_HOST and INKLING_PORT.
TYPED_PORT := $(if $(findstring command,$(origin PORT)),$(PORT))
ADDRESS := $(if $(findstring command,$(origin HOST)),--host $(HOST)) $(if $(TYPED_PORT),--port $(TYPED_PORT))
REGISTERED := $(if $(findstring command,$(origin MODEL)),$(MODEL))

VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/.installed
# npm, and what it starts, use the environment's Node.
NPM := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm
PACKAGES := node_modules/.installed
# Tests that watch time or memory: beside them nothing else may run.
ALONE := tests/serving/under_load tests/e2e/test_lighthouse.py
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help run demo serve repro train ui web test test-pipeline test-serving test-web test-all check clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(INSTALLED) ## bring the model up to date, and serve the page on 127.0.0.1:8000
	$(RUN) pipeline.reproduce update
	$(RUN) serving $(ADDRESS)

demo: $(INSTALLED) ## every stage on embedded data in a scratch copy, no network, then that model served
	$(RUN) pipeline.reproduce demo $(ADDRESS)

serve: $(INSTALLED) ## serve the page with the model as it is, or a registered one: make serve MODEL=champion
	$(if $(REGISTERED),$(RUN) pipeline.fetch $(REGISTERED))
	$(RUN) serving $(ADDRESS) $(if $(REGISTERED),--model outputs/registry/$(REGISTERED).onnx)

repro: $(INSTALLED) ## everything anew from the raw data
	$(RUN) pipeline.reproduce all

train: $(INSTALLED) ## choose the values, and train an experiment with them
	$(RUN) pipeline.interactive $(WITH)

ui: $(INSTALLED) ## compare the runs: MLflow on 127.0.0.1:5000
	-$(RUN) pipeline.replay
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(RUN) mlflow ui --backend-store-uri sqlite:///mlflow.db --port $(or $(TYPED_PORT),5000)

web: $(PACKAGES) ## build the page's CSS, with packages from npm's registry
	$(NPM) run --silent css

test: $(INSTALLED) ## the quick tests, in a real browser too
	$(RUN) tests.e2e.browser
	$(RUN) pytest -m "not slow" -n 2 --dist worksteal

test-pipeline: $(INSTALLED) ## the quick tests of pipeline/
	$(RUN) pytest -m "not slow" -n 2 --dist worksteal tests/pipeline

test-serving: $(INSTALLED) ## the quick tests of serving/
	$(RUN) pytest -m "not slow" -n 2 --dist worksteal tests/serving

test-web: $(INSTALLED) ## the quick tests of web/, in a real browser too
	$(RUN) tests.e2e.browser
	$(RUN) pytest -m "not slow" -n 2 --dist worksteal tests/web tests/e2e

test-all: test ## every test, also those that take long: whole runs, installations, load
	$(RUN) pytest -m slow -n 2 --dist worksteal --durations 10 $(ALONE:%=--ignore %)
	$(RUN) pytest -m slow --durations 10 $(ALONE)

check: $(PACKAGES) ## formatting, lint and types, of the page too
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) mypy --strict serving
	$(NPM) run --silent types

clean: ## remove the environments and the caches, not the data and the runs
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements/all.txt
	$(if $(PYTHON),,$(error Python 3.11 to 3.13 is needed, and none was found))
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else f"Python 3.11 to 3.13 is needed, not {sys.version.split()[0]}: make PYTHON=... names another")'
	@echo 'Installing what requirements/all.txt lists into $(VENV): some minutes, once.'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	touch $@

$(PACKAGES): package-lock.json | $(INSTALLED)
	$(NPM) ci
	touch $@
