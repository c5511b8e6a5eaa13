# Everything runs in environments that this file makes: .venv (tested versions, constraints.txt) and
# .venv-oldest (the lower bounds of pyproject.toml, constraints-oldest.txt). `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?=
WORKERS ?= 2
PYTEST_ARGS ?=

# One thread a process: the tests run in WORKERS processes already.
export OMP_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg
export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN := .venv/bin
OLDEST_BIN := .venv-oldest/bin
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# $(call make_venv,FOLDER): an environment made by the first Python >= 3.11, unless it is there.
define make_venv
if ! $(1)/bin/python -m pip --version > /dev/null 2>&1; then \
  for candidate in $(or $(PYTHON),python3 python3.11 python3.12 python3.13 python); do \
    if "$$candidate" -c '$(IS_NEW_ENOUGH)' 2> /dev/null; then found=$$candidate; break; fi; \
  done; \
  if [ -z "$${found:-}" ]; then \
    echo "No Python >= 3.11 among: $(or $(PYTHON),python3 python3.11 python3.12 python3.13 python)." >&2; \
    echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; \
  fi; \
  echo "Making $(1) with $$("$$found" --version)"; \
  "$$found" -m venv --clear $(1); \
fi
endef

# $(call install,FOLDER,CONSTRAINTS,EXTRA): the package and an extra. pip compiles one file after
# another, so all cores do that afterwards; some packages have files for other versions of Python.
define install
$(1)/bin/python -m pip install --quiet --no-compile -c $(2) -e '.[$(3)]'
$(1)/bin/python -W ignore -m compileall -q -j 0 $(1)/lib > /dev/null 2>&1 || true
endef

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: install
install: .venv/.dev ## Make .venv with the package and all that developing it takes

.PHONY: demo
demo: .venv/.demo ## Compare ECS-DBN with seven other DBNs on six KEEL sets; files in results/demo
	$(BIN)/skimbal demo

.PHONY: test
test: .venv/.dev ## Run the whole test suite, the slow tests too
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

.PHONY: test-fast
test-fast: .venv/.dev ## Run the tests that take no more than a few seconds each
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" $(PYTEST_ARGS)

.PHONY: test-extended
test-extended: .venv/.dev ## Run what takes too long for CI: the performance scripts, clusters, peers
	$(BIN)/python -m pytest -n $(WORKERS) --extended -m extended $(PYTEST_ARGS)

.PHONY: test-oldest
test-oldest: .venv-oldest/.test ## Run the fast tests with the oldest versions that pyproject.toml allows
	$(OLDEST_BIN)/python -m pytest -n $(WORKERS) -m "not slow and not any_version" $(PYTEST_ARGS)

.PHONY: lint
lint: .venv/.dev ## Check the style, the format and the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: docs
docs: .venv/.dev ## Run the gallery and build the site into docs/_build/html
	rm -rf docs/generated docs/auto_examples
	$(BIN)/python -m sphinx -W --keep-going -E -b html docs docs/_build/html

.PHONY: clean
clean: ## Remove the environments and everything that was built
	rm -rf .venv .venv-oldest build dist *.egg-info docs/_build docs/auto_examples docs/generated
	rm -rf docs/sg_execution_times.rst .pytest_cache .mypy_cache .ruff_cache
	find skimbal tests examples docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The constraints pin torch: without them pip takes its newest build, with several GB of CUDA.
.venv/.demo: pyproject.toml constraints.txt
	@$(call make_venv,.venv)
	@echo "Installing skimbal into .venv"
	@$(call install,.venv,constraints.txt,keel)
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@$(call make_venv,.venv)
	@echo "Installing skimbal and its development tools into .venv"
	@$(call install,.venv,constraints.txt,dev)
	@touch .venv/.demo $@

.venv-oldest/.test: pyproject.toml constraints-oldest.txt
	@$(call make_venv,.venv-oldest)
	@echo "Installing skimbal with the oldest versions into .venv-oldest"
	@$(call install,.venv-oldest,constraints-oldest.txt,test)
	@touch $@
