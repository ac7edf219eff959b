# Everything is one `make` away. Needs Python 3.13; installs the rest below .venv and .local.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PORT ?= 4566
ENV ?= staging
ARGS ?=

UV_VERSION := 0.13.8
UV := .local/envs/uv/bin/uv
PY := .venv/bin/python
UV_DONE := .local/envs/uv/done-$(UV_VERSION)
LAYER := layers/dependencies/requirements.txt

# uv finds its Python in the venv that it lies in itself, and never downloads one.
export UV_PYTHON := $(CURDIR)/.local/envs/uv/bin/python3.13
export UV_PYTHON_DOWNLOADS := never
export PYTHONPATH := $(CURDIR):$(CURDIR)/layers/vestibule
export SAM_CLI_TELEMETRY := 0

##@ Every day
.PHONY: help run stop test unit lint format requirements screenshots
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: setup ## Start the whole stack on this machine, deploy the template, walk the main job (PORT=4566)
	@$(PY) -m tools.local up --port $(PORT)
	@$(PY) -m tools.local walk

stop: ## End the local stack
	@if [ -x $(PY) ]; then $(PY) -m tools.local down; else echo "local stack: never started"; fi

test: setup ## Run every test, on a stack of its own (ARGS="-k redeem" chooses)
	@$(PY) -m tools.chromium
	@$(PY) -m tools.npm
	@$(PY) -m tools.suite $(ARGS)

unit: .venv/done ## Run the tests that need nothing running
	@$(PY) -m pytest tests/unit -n auto --dist loadfile $(ARGS)

lint: .venv/done ## Check style, types, import arrows, the template and the locked dependencies
	@$(MAKE) --jobs=2 --keep-going lint-types lint-template lint-arrows lint-style lint-lock
	@echo "lint: all good"

format: .venv/done ## Format the code and mend what can be mended by itself
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

requirements: .venv/done ## Print the product's requirements that no test names
	@$(PY) -m tools.requirements

screenshots: .venv/done ## Write pictures of every hub page, phone and desktop, light and dark, to .local/screenshots
	@$(PY) -m tools.screenshots

# Side by side, the long ones first; what each has to say comes in one piece.
CHECK = check() { echo "== $$1 ..."; said=$$("$${@:2}" 2>&1) || { echo "== $$1:"; echo "$$said"; exit 1; }; }; check

.PHONY: lint-style lint-types lint-arrows lint-template lint-lock
lint-style:
	@$(CHECK) style .venv/bin/ruff check .
	@$(CHECK) format .venv/bin/ruff format --check .
lint-types:
	@$(CHECK) types .venv/bin/mypy
lint-arrows:
	@$(CHECK) arrows .venv/bin/lint-imports
lint-template:
	@$(CHECK) template .venv/bin/cfn-lint template.yaml
lint-lock:
	@$(CHECK) lock $(UV) lock --check --quiet
	@echo "== layer ..."; diff -u $(LAYER) <($(EXPORT)) || { echo "$(LAYER) is not what uv.lock says: make layer"; exit 1; }

##@ On the running local stack
.PHONY: account samples
account: .venv/done ## The operator's command (ARGS="create --name Clinic --slug clinic", ARGS="--help")
	@$(PY) -m tools.operate $(ARGS)

samples: .venv/done ## Put back what events/*.json speak of, for another `sam remote invoke`
	@$(PY) -m tools.local samples

##@ Building and deploying
.PHONY: setup build deploy layer bench clean
setup: .venv/done .local/envs/emulator/done .local/envs/sam/done ## Make the environments

build: setup ## Build functions and layers, with bytecode, for ENV=staging or production
	@$(SAM) build --config-env $(ENV)
	@$(PY) -m tools.bytecode

deploy: build ## Deploy to AWS with the shell's credentials (ENV=staging or production)
	@$(SAM) deploy --config-env $(ENV)

layer: $(UV_DONE) ## Lock the dependencies and export the layer's part of them
	@$(UV) lock
	@$(EXPORT) > $(LAYER)

bench: setup ## Measure start-up times, call budgets and sizes
	@$(PY) -m bench $(ARGS)

clean: stop ## Remove everything that was made here, environments too
	@rm -rf .venv .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# --- environments --------------------------------------------------------------------------------------
# sam's builder looks for a python3.13 with pip on PATH.
SAM = PATH="$(CURDIR)/.local/envs/uv/bin:$$PATH" .local/envs/sam/bin/sam
EXPORT = { echo "\# Exported from uv.lock by \`make layer\`: what the dependencies layer holds."; \
  $(UV) export --quiet --frozen --no-default-groups --no-emit-project --no-header --no-annotate; }
# What uv did for each of a hundred packages is left out, and what it is busy with is shown.
BRIEFLY = 2>&1 | sed -u '/^ [-+~] /d; s/^/  /'

$(UV_DONE):
	@command -v python3.13 > /dev/null && python3.13 -c 'import venv' || { \
	  echo "error: python3.13 is needed, and is not on PATH (https://www.python.org/downloads/)"; exit 1; }
	@echo "setup: uv $(UV_VERSION)"
	@python3.13 -m venv --clear .local/envs/uv
	@.local/envs/uv/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/done: uv.lock $(UV_DONE)
	@echo "setup: the project's environment, .venv"
	@$(UV) sync --frozen $(BRIEFLY)
	@touch $@

# Compiled at once: the functions' workers import boto3 from here, and may write no bytecode.
.local/envs/emulator/done: uv.lock $(UV_DONE)
	@echo "setup: the emulator's environment"
	@UV_PROJECT_ENVIRONMENT=.local/envs/emulator $(UV) sync --frozen --compile-bytecode --only-group emulator $(BRIEFLY)
	@touch $@

.local/envs/sam/done: uv.lock $(UV_DONE)
	@echo "setup: sam's environment"
	@UV_PROJECT_ENVIRONMENT=.local/envs/sam $(UV) sync --frozen --only-group sam $(BRIEFLY)
	@touch $@
