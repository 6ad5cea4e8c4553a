# `make demo` and `make test` set up all that they need in .venv, on a machine with Python 3.11 or newer and make.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test lint bench layer clean

demo: $(VENV)/.demo
	@$(BIN)/python -m examples.demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/warm_path.py

layer: $(VENV)/.demo
	$(BIN)/serverless-guard layer build

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'

# the runtime client has wheels for Linux only; the demo runs the same events in process where there is none
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) ..."
	$(PIP) install --editable .
	@$(PIP) install --only-binary :all: 'awslambdaric>=4.2' 2>/dev/null || echo "no wheel of the Lambda runtime client for this machine"
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) ..."
	$(PIP) install --editable . --group test
	@$(PIP) install --no-deps 'aws-sam-cli>=1.150' 2>/dev/null || echo "no emulator: its tests will be skipped"
	@touch $@

$(VENV)/.lint: pyproject.toml | $(VENV)/.test
	$(PIP) install --group lint
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis serverless-guard-layer.zip
