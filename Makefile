# Two commands matter: `make up` runs the gateway, `make test` proves it.
# Everything they need is built below; stamp files keep a second run short.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Many tests wait for processes to start, to die or to run out of time: more of them than there are cores.
JOBS   ?= 5
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help

.PHONY: help up test soak lint lint-python lint-sql lint-docker bench lock sbom audit licences clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.ready ## start everything: database, migrations, demo customer, front and worker
	@exec $(BIN)/onevault up

# Tests start hundreds of processes: each would compile the gateway anew.
unexport PYTHONDONTWRITEBYTECODE

# The linters fill the time in which tests wait; what they have to say comes as soon as they fail, and after the tests.
test: $(VENV)/.ready-dev ## every check: linters, pgTAP and pytest (JOBS=1: one test at a time)
	@mkdir -p .cache
	@{ nice $(MAKE) --no-print-directory lint >.cache/lint.log 2>&1 || { cat .cache/lint.log >&2; false; }; } & linters=$$!; \
	    $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=worksteal -m "not alone" && \
	    $(BIN)/python -m pytest -m alone; tests=$$?; \
	    wait $$linters || { echo "the linters failed: make lint" >&2; exit 1; }; exit $$tests

soak: $(VENV)/.ready-dev ## the tests of faults in full size: kills, hang-ups, restarts; prints their figures (hours)
	ONEVAULT_SOAK=1 $(BIN)/python -m pytest tests_py/faults tests_py/test_replays.py tests_py/journey/test_fuzzed_answers.py -s --timeout=14400

lint: lint-python lint-sql lint-docker ## ruff, mypy, sqlfluff, squawk, PL/pgSQL bodies, Dockerfile

lint-python: $(VENV)/.ready-dev
	$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check . || { echo "mend it with: $(BIN)/ruff format ." >&2; exit 1; }
	$(BIN)/mypy

lint-sql: $(VENV)/.ready-dev
	$(BIN)/sqlfluff lint --processes 0 --nocolor --disable-progress-bar sql migrations tests_sql
	$(BIN)/squawk migrations/*.sql
	$(BIN)/python -m pytest -q tests_py/test_house.py

lint-docker: $(VENV)/.ready-dev
	$(BIN)/hadolint docker/Dockerfile

bench: $(VENV)/.ready-dev ## load the gateway on this machine and print the figures
	$(BIN)/python -m bench

lock: ## resolve the lock files again (needs uv on the PATH)
	uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 \
	    --no-emit-index-url --no-emit-find-links --no-header \
	    --group build pyproject.toml -o requirements.lock
	uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 \
	    --no-emit-index-url --no-emit-find-links --no-header \
	    --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

sbom: $(VENV)/.ready-dev ## write dist/sbom.json: what is delivered, with hashes and licences (CycloneDX)
	@$(BIN)/python -m supply sbom

audit: $(VENV)/.ready-dev ## look for advisories about what is locked (ADVISORIES=folder or zip of OSV files; AUDIT_REQUIRED=1)
	@$(BIN)/python -m supply audit

licences: $(VENV)/.ready-dev ## write docs/licences.md from what is installed
	@$(BIN)/python -m supply licences

clean: ## remove what was built (.venv, dist and caches), never the data
	rm -rf $(VENV) dist .cache .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "onevault needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "building $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(VENV)/bin/python requirements.lock pyproject.toml
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --no-index -e .
	@touch $@

# The locks agree, and the larger one holds all of the smaller one: one installation makes both. Python compiles what is
# imported as it goes.
$(VENV)/.ready-dev: $(VENV)/bin/python requirements.lock requirements-dev.lock pyproject.toml
	@$(INSTALL) --no-compile --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation --no-index -e .
	@touch $(VENV)/.ready $@
