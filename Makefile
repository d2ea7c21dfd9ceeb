# Two commands are all that a fresh machine needs: `make quickstart` and `make test`.
# Each makes its own environment; nothing is installed outside this folder.

# The first Python that runs and is new enough; `make PYTHON=... test` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
TRIAL := .venv-quickstart
PROJECT := quickstart

ifeq ($(strip $(PYTHON)),)
$(error Edgeworthy needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3)
endif

.PHONY: help quickstart test check format docs clean

help:
	@echo "make quickstart  train nothing, download nothing: from a model to a signed release, in ./$(PROJECT)"
	@echo "make test        every check: format, lint, types, contracts, sizes, tests with coverage"
	@echo "make check       the checks without the tests"
	@echo "make soak        kills and disk errors at every system call of an update; goes on where it was stopped"
	@echo "make format      put the code into its format"
	@echo "make docs        write the generated reference pages again"
	@echo "make clean       remove environments, caches and what quickstart made"

# --- the main job ---------------------------------------------------------------------------

$(TRIAL)/.installed: pyproject.toml $(shell find src -name '*.py' -o -name '*.j2' -o -name '*.toml')
	$(PYTHON) -m venv $(TRIAL)
	$(TRIAL)/bin/python -m pip install --quiet --disable-pip-version-check .
	@touch $@

quickstart: $(TRIAL)/.installed
	@PATH="$(CURDIR)/$(TRIAL)/bin:$$PATH" sh examples/quickstart.sh $(PROJECT)

# --- every check ----------------------------------------------------------------------------

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

test: check
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_sizes.py

.PHONY: soak
soak: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m faults.update_soak --processes 2 --record .soak-update
	PYTHONPATH=tests $(BIN)/python -m faults.agent_soak --processes 2 --record .soak-agent

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed
	$(BIN)/python tools/generate_reference.py

clean:
	rm -rf $(VENV) $(TRIAL) $(PROJECT) build dist .coverage* .soak-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
