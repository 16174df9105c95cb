# Each target is one line a person would type anyway, inside .venv.
PYTHON ?= python3.11
BIN = .venv/bin

.PHONY: run test slow lint check bench clean

run: .venv/installed
	$(BIN)/smallarea run

test: .venv/installed-test
	$(BIN)/python -m pytest

slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

check: lint test slow

lint: .venv/installed-test
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

bench: .venv/installed
	for bench in benchmarks/*.py; do $(BIN)/python $$bench; done

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,survey-formats,dask,remote]"
	touch $@

clean:
	rm -rf .venv .smallarea runs data
