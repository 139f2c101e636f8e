# Needs make and Python 3.11 to 3.13. The first target that is made installs .venv from the lock.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
# `make run PORT=9000`, `make ui PORT=9001`. Only from the command line: in the environment, HOST and PORT are often for other programs.
TYPED_PORT := $(if $(findstring command,$(origin PORT)),$(PORT))
ADDRESS := $(if $(findstring command,$(origin HOST)),--host $(HOST)) $(if $(TYPED_PORT),--port $(TYPED_PORT))
REGISTERED := $(if $(findstring command,$(origin MODEL)),$(MODEL))

VENV := .venv
RUN := $(VENV)/bin/python -m
# `make VENV=DIR ...` uses an environment that exists, and installs nothing.
INSTALLED := $(if $(findstring command,$(origin VENV)),,$(VENV)/.installed)
# npm and its programs use the environment's Node.
NPM := PATH="$(abspath $(VENV))/bin:$$PATH" npm
PACKAGES := node_modules/.installed
# What runs the model in a browser, for `make site` and for the served page.
RUNTIME := web/runtime/ort.wasm.bundle.min.mjs web/runtime/ort-wasm-simd-threaded.wasm
PYTEST := pytest -n 2 --dist worksteal
QUICK := not slow and not workflow
# Tests that measure time or memory: nothing else may run beside them.
ALONE := tests/serving/under_load tests/e2e/test_lighthouse.py
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help run demo serve repro train ui web runtime site test test-pipeline test-serving test-web test-workflows test-all check clean
.DEFAULT_GOAL := help

help: ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: $(INSTALLED) ## bring the model up to date and serve the page on 127.0.0.1:8000
	$(RUN) pipeline.reproduce update
	$(RUN) serving $(ADDRESS)

demo: $(INSTALLED) ## run every stage on embedded data in a scratch copy, without a network, and serve that model
	$(RUN) pipeline.reproduce demo $(ADDRESS)

serve: $(INSTALLED) ## serve the page with the model as it is, or with a registered one: make serve MODEL=champion
	$(if $(REGISTERED),$(RUN) pipeline.fetch $(REGISTERED))
	$(RUN) serving $(ADDRESS) $(if $(REGISTERED),--model outputs/registry/$(REGISTERED).onnx)

repro: $(INSTALLED) ## run every stage again, from the raw data
	$(RUN) pipeline.reproduce all

train: $(INSTALLED) ## choose values and train an experiment with them
	$(RUN) pipeline.interactive $(WITH)

ui: $(INSTALLED) ## compare the runs in MLflow on 127.0.0.1:5000
	$(RUN) pipeline.ui $(if $(TYPED_PORT),--port $(TYPED_PORT))

web: $(PACKAGES) ## build the page's CSS and its script
	$(NPM) run --silent css
	$(NPM) run --silent js

runtime: $(RUNTIME) ## install what runs the model in a browser, so that the page can work without the service

site: $(RUNTIME) $(INSTALLED) ## build the page for a static host, without the service, in outputs/site
	rm -rf outputs/site
	$(RUN) serving.site outputs/site

test: $(INSTALLED) ## the quick tests, browser included
	$(RUN) tests.e2e.browser
	$(RUN) $(PYTEST) -m "$(QUICK)"

test-pipeline: $(INSTALLED) ## the quick tests of pipeline/
	$(RUN) $(PYTEST) -m "$(QUICK)" tests/pipeline

test-serving: $(INSTALLED) ## the quick tests of serving/
	$(RUN) $(PYTEST) -m "$(QUICK)" tests/serving

test-web: $(INSTALLED) ## the quick tests of web/, browser included
	$(RUN) tests.e2e.browser
	$(RUN) $(PYTEST) -m "$(QUICK)" tests/web tests/e2e

test-workflows: $(INSTALLED) ## real processes and a browser: fresh clone, two clones, sweep, swap, the page
	$(RUN) tests.e2e.browser
	$(RUN) $(PYTEST) -m workflow --durations 10

test-all: test ## every test, slow ones too
	$(RUN) $(PYTEST) -m "slow or workflow" --durations 10 $(ALONE:%=--ignore %)
	$(RUN) pytest -m "slow or workflow" --durations 10 $(ALONE)

check: $(PACKAGES) ## formatting, lint and types of Python and the page
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) mypy --strict serving
	$(NPM) run --silent types

clean: ## remove the environments and the caches; keep data and runs
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements/all.txt
	$(if $(PYTHON),,$(error Python 3.11 to 3.13 is needed; none was found))
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else f"Python 3.11 to 3.13 is needed, not {sys.version.split()[0]}: name another with make PYTHON=...")'
	$(if $(shell test -L $(VENV) && echo link),$(error $(VENV) is a link, and what it leads to may belong to others: `make VENV=$(VENV) ...` uses it as it is; remove the link to get an environment here))
	@echo 'Installing requirements/all.txt into $(VENV). This takes some minutes, once.'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m requirements.install requirements/all.txt
	touch $@

web/runtime/%: $(PACKAGES)
	cp node_modules/onnxruntime-web/dist/$* $@

$(PACKAGES): package-lock.json | $(INSTALLED)
	$(NPM) ci
	touch $@
