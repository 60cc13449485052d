# Everything a developer or a curious person runs. `make help` lists the targets.
# ARGS is passed on: make demo ARGS=--json, make test-unit ARGS="-k codec".

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

ARGS ?=
VENV ?= .venv
BIN := $(VENV)/bin
LOCK_TOOL := uv==0.13.9
TESTS := $(filter-out tests/unit tests/bench tests/support,$(patsubst %/,%,$(wildcard tests/*/)))
TESTS := $(filter-out tests/__pycache__,$(TESTS))

.PHONY: help demo test test-unit test-all-pythons test-packages coverage lint format types bench reference lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The environment is made from the lock file, with hashes, and only again when that changes.
$(VENV)/.demo: requirements/demo.txt pyproject.toml scripts/venv
	@scripts/venv $(VENV) requirements/demo.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml scripts/venv
	@scripts/venv $(VENV) requirements/dev.txt
	@touch $(VENV)/.demo $@

demo: $(VENV)/.demo ## Virtual locks to an embedded cloud broker, with an account that closes
	@$(BIN)/latchway demo $(ARGS)

test: test-packages $(VENV)/.dev coverage ## The whole suite (installs mosquitto when root)
	@$(BIN)/python -m pytest $(TESTS) $(ARGS)
	@$(BIN)/python scripts/unit-on-all-pythons

test-packages: # Debian packages that the tests use
	@scripts/debian-packages mosquitto openssl

test-unit: $(VENV)/.dev ## Unit tests only: needs nothing but Python
	@$(BIN)/python -m pytest tests/unit $(ARGS)

test-all-pythons: $(VENV)/.dev ## Unit tests on every CPython >= 3.11 of this machine
	@$(BIN)/python scripts/unit-on-all-pythons

coverage: $(VENV)/.dev ## Unit tests with branch coverage and its floor
	@$(BIN)/python -m coverage run -m pytest tests/unit $(ARGS)
	@$(BIN)/python -m coverage report

lint: $(VENV)/.dev ## Style, format, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## Rewrite the code in the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

bench: test-packages $(VENV)/.dev ## Figures of the full path beside same-run baselines (minutes)
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

reference: $(VENV)/.dev ## Write the generated pages of docs/reference anew
	@$(BIN)/python -m latchway.schemas.export
	@$(BIN)/python scripts/config_reference.py

lock: ## Resolve the lock files anew (ARGS=--upgrade for newer versions)
	@scripts/lock "$(LOCK_TOOL)" $(ARGS)

clean: ## Remove what the other targets made, the environments included
	@rm -rf $(VENV) .venvs dist build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find schemas outbox drivers gateway tests -name __pycache__ -type d -prune -exec rm -rf {} +
